import { describe, expect, it } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { InfraError } from '../../../src/domain/errors.ts';
import type { Report } from '../../../src/domain/report.ts';
import type { FakeScript } from '../../../src/sandbox/fake/fake-script.ts';
import { gradeOnFake } from '../../helpers/fake-grading.ts';

const IMAGE = 'team/grader:1';
const challenge = await loadChallenge('tests/corpus/own-grader/challenge');

/** Grades on a scripted engine that has the grader's image, until `forget` is called. */
async function grade(script: FakeScript, forget = new AbortController().signal): Promise<Report> {
  const images: Record<string, string[]> = { [IMAGE]: [] };
  forget.addEventListener('abort', () => delete images[IMAGE]);
  return (await gradeOnFake(challenge, { images, ...script })).report;
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
