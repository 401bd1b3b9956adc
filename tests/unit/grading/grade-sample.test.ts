import { expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import type { Sample } from '../../../src/challenges/load-samples.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import { gradeSample } from '../../../src/grading/grade-sample.ts';
import type { GradedSample } from '../../../src/grading/grade-sample.ts';
import { makeFakeEngine } from '../../../src/sandbox/fake/fake-engine.ts';
import { fakeDeps, SUBMISSION } from '../../helpers/fake-grading.ts';

const challenge = await loadChallenge('tests/corpus/trivial/challenge');
const sample: Sample = {
  name: 'broken-nothing',
  directory: '.',
  reference: false,
  expectation: { verdict: 'failed', loses: [], mayLose: [] },
};

/** Grades on an engine that refuses the first `faults` builds. Answers what came of it, and the number of builds. */
async function gradeWith(faults: number): Promise<{ graded: GradedSample; builds: number }> {
  const engine = makeFakeEngine({
    grader: async (io) => {
      await io.readLine();
      await io.emit({ event: 'done' });
      return 0;
    },
  });
  let builds = 0;
  const refusing: typeof engine = {
    ...engine,
    build: (...args) => {
      builds += 1;
      return builds <= faults
        ? Promise.reject(new InfraError('ENGINE_ERROR', 'the container engine refused "build"'))
        : engine.build(...args);
    },
  };
  const graded = await gradeSample(
    challenge,
    sample,
    SUBMISSION,
    fakeDeps(refusing),
    new AbortController().signal,
  );
  return { graded, builds };
}

it('grades again, once, after a fault of ours, and says so', async () => {
  const { graded, builds } = await gradeWith(1);

  expect(builds).toBe(2);
  expect(graded.retried).toContain('ENGINE_ERROR: the container engine refused "build"');
  expect(graded.report.outcome.failure).toBeUndefined();
});

it('tells a fault of ours that stays, with its message', async () => {
  const { graded, builds } = await gradeWith(5);

  expect(builds).toBe(2);
  expect(graded.differences.join('\n')).toContain('ENGINE_ERROR (the container engine refused "build")');
});

it('grades a run that ends without a fault of ours once', async () => {
  const { graded, builds } = await gradeWith(0);

  expect(builds).toBe(1);
  expect(graded.retried).toBeUndefined();
});
