import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { loadSamples, type Sample } from '../../src/challenges/load-samples.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import type { Challenge } from '../../src/domain/challenge.ts';
import { gradeSample } from '../../src/grading/grade-sample.ts';
import { makeStageGate } from '../../src/grading/stage-gate.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const challenges = await Promise.all(
  ['url-shortener', 'inventory'].map(async (slug) => {
    const challenge = await loadChallenge(`challenge-specs/${slug}`, { profile: 'demo' });
    return { slug, challenge, samples: await loadSamples(challenge) };
  }),
);

/** One that is not about load is graded without the load stage, for which samples have to queue. */
function stagesFor({ file }: Challenge, { reference, expectation }: Sample): { stages?: string[] } {
  const { loses, mayLose } = expectation;
  const isAboutLoad = [...loses, ...mayLose].some((id) => id.startsWith('load/'));
  return reference || isAboutLoad || expectation.failure !== undefined
    ? {}
    : { stages: Object.keys(file.stages).filter((stage) => stage !== 'load') };
}

describe.each(challenges)('$slug', ({ challenge, samples }) => {
  let grading: Grading;
  /** Samples are graded side by side (`maxConcurrency`); load tests still have the machine to themselves. */
  const gate = makeStageGate();
  beforeAll(async () => {
    grading = await openGrading(readConfig());
  });
  afterAll(async () => {
    await grading.close();
  });

  it('ships two references and at least ten broken submissions', () => {
    expect(samples.filter((sample) => sample.reference).length).toBeGreaterThanOrEqual(2);
    expect(samples.filter((sample) => !sample.reference).length).toBeGreaterThanOrEqual(10);
  });

  it.concurrent.each(samples.map((sample) => [sample.name, sample] as const))(
    '%s comes out as expected',
    async (_name, sample) => {
      const { signal } = new AbortController();
      const submission = await inspectSubmission({ path: sample.directory }, {}, signal);

      const graded = await gradeSample(
        challenge,
        sample,
        submission,
        { ...grading.deps, gate, onProgress: () => {} },
        signal,
        { selection: { visibleOnly: false, ...stagesFor(challenge, sample) } },
      );

      if (graded.retried !== undefined) {
        process.stderr.write(`${sample.name} was graded again: ${graded.retried}\n`);
      }
      expect(graded.differences).toEqual([]);
      if (sample.reference) {
        expect(graded.report.outcome.score).toBe(graded.report.outcome.maxScore);
      }
      expect(await listOfRun(graded.report.run.id)).toEqual([]);
    },
  );
});
