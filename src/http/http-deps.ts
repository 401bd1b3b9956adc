import type { BlobStore } from '../blobs/blob-store.ts';
import type { RuntimeName } from '../domain/challenge.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { Store } from '../store/store.ts';
import type { HttpSettings } from './http-settings.ts';

/** Everything the HTTP interface needs; it knows no database, queue or engine. */
export interface HttpDeps {
  store: Store;
  blobs: BlobStore;
  logger: Logger;
  clock: Clock;
  /** Version of assay. */
  version: string;
  settings: HttpSettings;
  /** Reads an upload in a process of its own; throws IntakeError for what it refuses. */
  intake: (path: string, maxBytes: number, signal: AbortSignal) => Promise<CanonicalSubmission>;
  /** Whether anything in the submission says how to start it; throws IntakeError that says what is missing. */
  checkStart: (submission: CanonicalSubmission, runtimes: readonly RuntimeName[]) => void;
  /** Whether webhooks may be sent to this address; throws AssayError that says why not. */
  checkWebhookUrl: (url: string) => Promise<void>;
}
