import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { InfraError } from '../../src/domain/errors.ts';
import type { Run } from '../../src/store/run-store.ts';
import { makeGrader, makeHeldGrader, openWorkerBench } from '../helpers/worker-bench.ts';
import type { BenchWorker, WorkerBench } from '../helpers/worker-bench.ts';

const WITHIN = { timeout: 90_000, interval: 50 };
const LONG_MS = 600_000;

let bench: WorkerBench;
beforeAll(async () => {
  bench = await openWorkerBench();
});
afterEach(() => bench?.stopWorkers());
afterAll(() => bench?.close());

/** The run once it is as said. */
async function runAs(id: string, facts: Partial<Run>): Promise<Run> {
  return await vi.waitFor(async () => {
    const run = await bench.store.runs.get(id);
    expect(run).toMatchObject(facts);
    return run!;
  }, WITHIN);
}

async function workerAs(worker: BenchWorker, facts: object): Promise<void> {
  await vi.waitFor(async () => {
    const known = await bench.store.workers.list();
    expect(known.find(({ id }) => id === worker.id)).toMatchObject(facts);
  }, WITHIN);
}

async function usedAttempts(invitationId: string): Promise<number | undefined> {
  return (await bench.store.access.getInvitation(invitationId))?.usedAttempts;
}

describe('cancel', () => {
  it('ends the run that is at work, empties its sandbox, and keeps the attempt', async () => {
    const { begun, grader } = makeHeldGrader();
    const { engine } = await bench.work({ grader });
    const { id, invitationId } = await bench.submit();
    await begun;
    expect(await bench.store.runs.cancel(id, 'Canceled by the candidate.')).toBe(true);

    await runAs(id, { state: 'canceled', verdict: null, failures: 0 });
    await vi.waitFor(() => expect(engine.openPods).toBe(0), WITHIN);
    expect(await usedAttempts(invitationId)).toBe(1);
    expect(await bench.store.runs.cancel(id, 'again')).toBe(false);
  });
});

describe('drain', () => {
  it('lets what runs come to its end within the grace', async () => {
    const { begun, release, grader } = makeHeldGrader(makeGrader());
    const worker = await bench.work({ grader });
    const { id } = await bench.submit();
    await begun;
    const stopped = worker.stop(LONG_MS);
    release();
    await stopped;

    await runAs(id, { state: 'completed', verdict: 'passed', worker: worker.id });
    await workerAs(worker, { state: 'gone', busy: 0 });
  });

  it('gives back what does not end in time, and nobody pays for it', async () => {
    const { begun, grader } = makeHeldGrader();
    const first = await bench.work({ grader });
    const { id, invitationId } = await bench.submit();
    await begun;
    await first.stop(0);
    expect(first.engine.openPods).toBe(0);
    await runAs(id, { state: 'queued', epoch: 2, failures: 0 });

    const second = await bench.work({ grader: makeGrader() });
    await runAs(id, { state: 'completed', verdict: 'passed', worker: second.id, failures: 0 });
    expect(await usedAttempts(invitationId)).toBe(1);
  });

  it('asked for by an admin takes no more, while others do', async () => {
    const first = await bench.work({ grader: makeGrader() });
    expect(await bench.store.workers.askToDrain(first.id)).toBe(true);
    await workerAs(first, { state: 'draining' });
    const { id } = await bench.submit();
    const second = await bench.work({ grader: makeGrader() });

    await runAs(id, { state: 'completed', worker: second.id });
  });
});

describe('a fault of ours', () => {
  function broken(): never {
    throw new InfraError('DISK_GONE', 'the disk is gone');
  }

  it('is tried again, and the run that then works counts as any other', async () => {
    let starts = 0;
    await bench.work({
      onCall: (call) => {
        starts += call === 'startCandidate' ? 1 : 0;
        if (call === 'startCandidate' && starts === 1) {
          broken();
        }
      },
      grader: makeGrader(),
    });
    const { id, invitationId } = await bench.submit();

    await runAs(id, { state: 'completed', verdict: 'passed', epoch: 2, failures: 1 });
    expect(await usedAttempts(invitationId)).toBe(1);
  });

  it('that does not go away ends the run and gives the attempt back', async () => {
    const { engine } = await bench.work({ build: broken }, { maxFailures: 2 });
    const { id, invitationId } = await bench.submit();

    const run = await runAs(id, { state: 'errored', verdict: null, score: null, epoch: 3, failures: 2 });
    expect(run.reason).toContain('disk is gone');
    expect(await usedAttempts(invitationId)).toBe(0);
    expect(engine.openPods).toBe(0);
  });

  it('of the engine ends the trust in this worker: others take its run', async () => {
    const first = await bench.work({
      onCall: () => {
        throw new InfraError('ENGINE_TIMEOUT', 'the engine does not answer');
      },
    });
    const { id } = await bench.submit();
    await workerAs(first, {
      state: 'unhealthy',
      reason: expect.stringContaining('ENGINE_TIMEOUT') as string,
    });
    const second = await bench.work({ grader: makeGrader() });

    await runAs(id, { state: 'completed', worker: second.id });
  });
});

describe('a lease that was lost', () => {
  /** Gives the run to whoever comes first, as a reconciler does once the lease has run out. */
  async function takeAway(runId: string): Promise<void> {
    await vi.waitFor(async () => {
      const { requeued } = await bench.store.runs.reconcile({ maxFailures: 4, staleMs: LONG_MS });
      expect(requeued).toContain(runId);
    }, WITHIN);
  }

  it('stops the work at the next heartbeat', async () => {
    const { begun, grader } = makeHeldGrader();
    const graders = [grader, makeGrader()];
    const { engine } = await bench.work({ grader: (io) => graders.shift()?.(io) ?? 1 }, { leaseMs: 1 });
    const { id } = await bench.submit();
    await begun;
    await takeAway(id);

    await runAs(id, { state: 'completed', verdict: 'passed', epoch: 2, failures: 1 });
    expect(graders).toEqual([]);
    await vi.waitFor(() => expect(engine.openPods).toBe(0), WITHIN);
  });

  it('makes a result worthless that comes after it', async () => {
    const { begun, release, grader } = makeHeldGrader(makeGrader('failed'));
    const slow = await bench.work({ grader }, { leaseMs: 1, heartbeatMs: LONG_MS });
    const { id } = await bench.submit();
    await begun;
    await takeAway(id);
    const quick = await bench.work({ grader: makeGrader() });
    await runAs(id, { state: 'completed', verdict: 'passed', worker: quick.id });
    const kept = await bench.store.runs.result(id);

    release();
    await slow.stop(LONG_MS);
    expect(slow.engine.openPods).toBe(0);
    expect(await bench.store.runs.get(id)).toMatchObject({ verdict: 'passed', worker: quick.id });
    expect(await bench.store.runs.result(id)).toEqual(kept);
  });
});
