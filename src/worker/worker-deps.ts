import type { BlobStore } from '../blobs/blob-store.ts';
import type { CheckDeps, InTurn } from '../grading/check/check-types.ts';
import type { GradeDeps } from '../grading/grade-run.ts';
import type { Logger } from '../shared/logger.ts';
import type { Store } from '../store/store.ts';
import type { KnownChallenges } from './known-challenges.ts';

/** What working on runs takes. */
export interface WorkerDeps {
  store: Pick<Store, 'runs' | 'events' | 'submissions' | 'challenges' | 'workers'>;
  blobs: BlobStore;
  grading: Omit<GradeDeps, 'onProgress'>;
  knownChallenges: KnownChallenges;
  /** Reads a sample submission of a challenge that is checked. */
  inspect: CheckDeps['inspect'];
  /** The turns of the gradings of a check, between submissions. Undefined for what is none. */
  inTurn?: InTurn;
  logger: Logger;
  /** Name of this worker in leases; another one after each start. */
  id: string;
  /** Where bundles are unpacked. */
  workDir: string;
  settings: WorkerSettings;
}

export interface WorkerSettings {
  /** A run is taken from a worker that was silent for so long, and given to another. */
  leaseMs: number;
  heartbeatMs: number;
  /** Deaths of workers and failures of ours after which a run ends as `errored`. */
  maxFailures: number;
  /** Wait before the next try, doubled with each. */
  retryMs: number;
}

/** A dead worker's run is at work again within lease + reconciler's pause + relay: about 13 s. */
export const WORKER_SETTINGS: WorkerSettings = {
  leaseMs: 10_000,
  heartbeatMs: 2500,
  maxFailures: 4,
  retryMs: 5000,
};
