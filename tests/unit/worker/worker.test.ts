import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import type { Delivery, DeliveryHandler } from '../../../src/queue/grading-queue.ts';
import { makeKnownChallenges } from '../../../src/worker/known-challenges.ts';
import { startWorker } from '../../../src/worker/worker.ts';
import type { WorkerOptions } from '../../../src/worker/worker.ts';

const never = new AbortController().signal;

function delivery(runId: string): Delivery {
  return { v: 1, runId, epoch: 1, kind: 'first' };
}

/** Something that happens when the test says so. */
function event<T>() {
  let happen: ((value: T) => void) | undefined;
  const happened = new Promise<T>((resolve) => {
    happen = resolve;
  });
  return { happened, happen: (value: T) => happen?.(value) };
}

it('a worker that is told to drain puts back what waits for a slot, while others are at work', async () => {
  const told = event<{ drain: boolean }>();
  const leased = event<undefined>();
  let handle: DeliveryHandler | undefined;
  const lease = vi.fn(() => leased.happened);
  const store = {
    // It answers only now that it heard of a worker at work.
    workers: {
      heartbeat: ({ state }: { state: string }) =>
        state === 'ready' ? told.happened : Promise.resolve({ drain: false }),
    },
    runs: { lease },
  };
  const deps = {
    store,
    logger: pino({ level: 'silent' }),
    workDir: join(tmpdir(), 'assay-nothing-here'),
    knownChallenges: makeKnownChallenges(),
    grading: { version: '1' },
    id: 'one',
    settings: {},
  } as unknown as WorkerOptions['deps'];
  const started = event<undefined>();
  const worker = startWorker({
    deps,
    host: 'here',
    slots: 1,
    openConsumer: (given) => {
      handle = given;
      return {
        start: () => started.happen(undefined),
        pause: () => Promise.resolve(),
        resume: () => undefined,
        close: () => Promise.resolve(),
      };
    },
    prove: () => Promise.resolve(undefined),
  });
  await started.happened;
  const atWork = handle?.(delivery('first'), never);
  await vi.waitFor(() => expect(lease).toHaveBeenCalledTimes(1));
  const waiting = handle?.(delivery('second'), never);

  told.happen({ drain: true });

  expect(await waiting).toBe('put-back');
  expect(lease).toHaveBeenCalledTimes(1);
  leased.happen(undefined);
  expect(await atWork).toBeUndefined();
  await worker.stop(1000);
});
