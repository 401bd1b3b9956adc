import type { AccessStore } from './access-store.ts';
import type { ChallengeStore } from './challenge-store.ts';
import type { EventStore } from './event-store.ts';
import type { AuditStore, WorkerStore } from './operations-store.ts';
import type { ReviewStore } from './review-store.ts';
import type { RunStore } from './run-store.ts';
import type { SubmissionStore } from './submission-store.ts';
import type { WebhookStore } from './webhook-store.ts';

/**
 * The truth of the service. Every call is one transaction and answers when it is durable; one that fails changed
 * nothing. A database that is away gives InfraError `STORE_UNAVAILABLE` within seconds, never a hang.
 */
export interface Store {
  challenges: ChallengeStore;
  access: AccessStore;
  submissions: SubmissionStore;
  runs: RunStore;
  events: EventStore;
  webhooks: WebhookStore;
  reviews: ReviewStore;
  audit: AuditStore;
  workers: WorkerStore;
  /**
   * Several calls as one transaction: all of them happen, or none. `work` may be called again, and must wait for
   * nothing but what it is given.
   */
  together<T>(work: (changes: Changes) => Promise<T>): Promise<T>;
  /** Those of `blobs` that nothing stored refers to. */
  unusedBlobs(blobs: readonly string[]): Promise<string[]>;
  /** Calls `wake` when something may have come into the outbox, until the answer is called. A hint: also poll. */
  onOutbox(wake: () => void): () => void;
  /** Answers when the database does and its schema is the one of this version. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** The parts of the store that people's calls change, and the log of them. */
export type Changes = Pick<
  Store,
  'challenges' | 'access' | 'runs' | 'webhooks' | 'reviews' | 'audit' | 'workers'
>;
