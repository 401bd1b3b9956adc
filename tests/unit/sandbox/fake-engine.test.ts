import { describe, expect, it } from 'vitest';
import { InfraError } from '../../../src/domain/errors.ts';
import { makeFakeEngine } from '../../../src/sandbox/fake/fake-engine.ts';
import { candidateOf, graderOf, never } from '../../helpers/sandbox.ts';

const RUN = { run: 'r', epoch: 1 };

describe('makeFakeEngine', () => {
  it('lets a script end late, use resources and reach its process limit', async () => {
    const engine = makeFakeEngine({
      candidate: (service) => {
        service.use({ memoryBytes: 5, pids: 64 });
        service.onTerminate(() => {
          setTimeout(() => service.exit(2), 20);
        });
      },
    });
    const pod = await engine.openPod(RUN, never);
    const candidate = await pod.startCandidate(candidateOf('i', ['x']), never);
    expect(await candidate.stats()).toEqual({ cpuMs: 0, memoryBytes: 5, pids: 64 });
    const report = await candidate.stop(1000);
    expect(report).toMatchObject({ cause: 'killed', exitCode: 2, pidsLimitHit: true });
    expect(report.wallMs).toBeGreaterThanOrEqual(15);
    expect(engine.openPods).toBe(1);
    await pod.destroy();
    expect(engine.openPods).toBe(0);
  });

  it('fails where a test says so', async () => {
    const engine = makeFakeEngine({
      onCall: (call) => {
        if (call === 'startGrader') {
          throw new InfraError('ENGINE_TIMEOUT', 'no answer');
        }
      },
    });
    const pod = await engine.openPod(RUN, never);
    await expect(pod.startGrader(graderOf('i', ['x']), never)).rejects.toMatchObject({
      code: 'ENGINE_TIMEOUT',
    });
    await engine.close();
    expect(engine.openPods).toBe(0);
  });

  it('holds a grader back whose output nobody reads, and shows its crash', async () => {
    let emitted = 0;
    const engine = makeFakeEngine({
      grader: async (io) => {
        for (; emitted < 100; emitted++) {
          await io.emit('x'.repeat(64 * 1024));
        }
        throw new Error('grader broke');
      },
    });
    const pod = await engine.openPod(RUN, never);
    const grader = await pod.startGrader(graderOf('i', ['x']), never);
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    expect(emitted).toBeLessThan(10);
    grader.stdout.resume();
    expect(await grader.exit()).toMatchObject({ cause: 'exited', exitCode: 1 });
    expect(grader.stderr().text).toContain('grader broke');
    await pod.destroy();
  });
});
