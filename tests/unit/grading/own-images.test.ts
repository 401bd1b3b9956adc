import { describe, expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import type { Report } from '../../../src/domain/report.ts';
import { gradeRun } from '../../../src/grading/grade-run.ts';
import { loadGrader } from '../../../src/grading/graders.ts';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { makeFakeEngine } from '../../../src/sandbox/fake/fake-engine.ts';
import type { FakeScript } from '../../../src/sandbox/fake/fake-script.ts';
import { systemClock } from '../../../src/shared/clock.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

const IMAGE = 'team/grader:1';
const challenge = await loadChallenge('tests/corpus/own-grader/challenge');
const { tar } = submissionOf({
  'package.json': '{"scripts":{"start":"node server.js"}}',
  'server.js': 'server',
});
const submission = { digest: 'sha256:x', tar, files: [], notices: [] };

/** Grades on a scripted engine that has the grader's image, until `forget` is called. */
async function grade(script: FakeScript, forget = new AbortController().signal): Promise<Report> {
  const images: Record<string, string[]> = { [IMAGE]: [] };
  forget.addEventListener('abort', () => delete images[IMAGE]);
  const engine = makeFakeEngine({ images, ...script });
  const request = {
    runId: 'run',
    epoch: 0,
    seed: 'seed',
    challenge,
    submission,
    startPlan: decideStartPlan(submission, ['node']),
    scope: 'test',
    selection: { visibleOnly: false },
  };
  const deps = {
    engine,
    clock: systemClock,
    version: '0',
    registriesDigest: () => Promise.resolve(''),
    loadGrader: (name: string) => loadGrader('.', name),
    onProgress: () => {},
  };
  const { report } = await gradeRun(request, deps, new AbortController().signal);
  expect(engine.openPods).toBe(0);
  return report;
}

describe('a grader of the author’s own', () => {
  it('that breaks is the challenge’s fault, and told by its end even if it reads nothing', async () => {
    const { outcome, stages } = await grade({ grader: () => Promise.resolve(127) });

    expect(stages[0]?.failure).toMatchObject({ code: 'GRADER_FAILED', blame: 'spec' });
    expect(stages[0]?.failure?.message).toContain('code 127');
    expect(outcome.remarks.join()).toContain('a mistake in the challenge');
  });

  it.each(['startGrader', 'startCandidate'])(
    'is not blamed for an engine that fails in %s',
    async (failing) => {
      const { outcome } = await grade({
        onCall: (call) => {
          if (call === failing) {
            throw new InfraError('ENGINE_TIMEOUT', 'the engine did not answer');
          }
        },
      });

      expect(outcome).toMatchObject({ status: 'errored', failure: { blame: 'infra' } });
    },
  );

  it('is not blamed for an engine that fails while it asks for something', async () => {
    let failing = false;
    const { stages } = await grade({
      grader: async (io) => {
        await io.readLine();
        failing = true;
        await io.emit({ event: 'control', id: 'c', action: 'restart' });
        await io.readLine();
        return 1;
      },
      onCall: (call) => {
        if (call === 'probe' && failing) {
          failing = false;
          throw new InfraError('ENGINE_TIMEOUT', 'the engine did not answer');
        }
      },
    });

    expect(stages[0]?.failure).toMatchObject({
      code: 'GRADER_FAILED',
      blame: 'infra',
      message: 'the engine did not answer',
    });
  });

  it('is the image that its name stood for when the run began', async () => {
    const gone = new AbortController();
    const { environment, stages } = await grade(
      {
        grader: async (io, { image }) => {
          gone.abort();
          expect(image).toBe(`sha256:${IMAGE}`);
          await io.readLine();
          await io.emit({ event: 'done' });
          return 0;
        },
      },
      gone.signal,
    );

    expect(stages[0]?.failure).toBeUndefined();
    expect(environment.images[IMAGE]).toBe(`sha256:${IMAGE}`);
  });

  it('may not bring volumes, which nothing would limit', async () => {
    await expect(grade({ images: { [IMAGE]: ['/data'] } })).rejects.toMatchObject({
      code: 'GRADER_IMAGE_VOLUMES',
      blame: 'spec',
    });
  });
});
