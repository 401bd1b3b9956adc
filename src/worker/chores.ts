import type { BlobStore } from '../blobs/blob-store.ts';
import { UNREFERENCED_MIN_AGE_MS } from '../blobs/blob-store.ts';
import type { GradingQueue } from '../queue/grading-queue.ts';
import type { SandboxEngine } from '../sandbox/sandbox-engine.ts';
import { dropOld } from '../shared/drop-old.ts';
import type { Logger } from '../shared/logger.ts';
import type { Store } from '../store/store.ts';
import type { Chore } from './keep-going.ts';

const RELAY_BATCH = 50;
const RELAY_MS = 1000;
/** Part of the time that a dead worker's run takes to be at work again. */
const RECONCILE_MS = 2000;
const REDELIVER_MS = 60_000;
const BLOB_ROUND_MS = 3_600_000;
const BLOB_BATCH = 500;
const SWEEP_MS = 30_000;
const UPLOAD_ROUND_MS = 3_600_000;
/** No upload takes nearly as long to arrive and to be read. */
const UPLOAD_MAX_AGE_MS = 3_600_000;

/** Brings outbox rows to the queue. */
export function relayChore(store: Pick<Store, 'runs' | 'onOutbox'>, queue: GradingQueue): Chore {
  return {
    name: 'relay',
    everyMs: RELAY_MS,
    turn: async () => {
      const sent = await store.runs.relay(RELAY_BATCH, (delivery) => queue.add({ v: 1, ...delivery }));
      return sent === RELAY_BATCH;
    },
    onNews: (wake) => store.onOutbox(wake),
  };
}

/** Takes runs from dead workers, and delivers again what the queue may have lost. */
export function reconcileChore(store: Pick<Store, 'runs'>, maxFailures: number, logger: Logger): Chore {
  return {
    name: 'reconcile',
    everyMs: RECONCILE_MS,
    turn: async () => {
      const outcome = await store.runs.reconcile({ maxFailures, staleMs: REDELIVER_MS });
      if (outcome.requeued.length + outcome.errored.length > 0) {
        logger.info(outcome, 'runs were taken up again');
      }
      return false;
    },
  };
}

/** Removes blobs that no row refers to; what is younger may belong to an upload whose row is still to come. */
export function blobChore(store: Pick<Store, 'unusedBlobs'>, blobs: BlobStore, logger: Logger): Chore {
  async function drop(keys: readonly string[]): Promise<number> {
    let dropped = 0;
    for (const key of await store.unusedBlobs(keys)) {
      dropped += (await blobs.collect(key, UNREFERENCED_MIN_AGE_MS)) ? 1 : 0;
    }
    return dropped;
  }
  return {
    name: 'collect blobs',
    everyMs: BLOB_ROUND_MS,
    turn: async () => {
      let dropped = 0;
      let batch: string[] = [];
      for await (const key of blobs.list(UNREFERENCED_MIN_AGE_MS)) {
        batch.push(key);
        if (batch.length === BLOB_BATCH) {
          dropped += await drop(batch);
          batch = [];
        }
      }
      dropped += await drop(batch);
      if (dropped > 0) {
        logger.info({ dropped }, 'unused blobs were removed');
      }
      return false;
    },
  };
}

/** Removes uploads, and bundles unpacked for reading, that an API which was killed has left on their way in. */
export function uploadChore(folder: string, logger: Logger): Chore {
  return {
    name: 'drop uploads',
    everyMs: UPLOAD_ROUND_MS,
    turn: async () => {
      const dropped = await dropOld(folder, UPLOAD_MAX_AGE_MS);
      if (dropped > 0) {
        logger.info({ dropped }, 'leftover uploads were removed');
      }
      return false;
    },
  };
}

/** Removes what dead workers have left on the engine, and what belongs to a lease that is no more. */
export function sweepChore(store: Pick<Store, 'runs'>, engine: SandboxEngine, logger: Logger): Chore {
  return {
    name: 'sweep',
    everyMs: SWEEP_MS,
    turn: async () => {
      const { removed, left } = await engine.sweep(async () => {
        const leases = await store.runs.liveLeases();
        return leases.map(({ runId, epoch }) => ({ run: runId, epoch }));
      });
      if (removed.length + left.length > 0) {
        logger.info({ removed: removed.length, left }, 'leftovers were swept');
      }
      return false;
    },
  };
}
