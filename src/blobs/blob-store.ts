import type { Readable } from 'node:stream';

/**
 * Where bytes live: uploads as they came, canonical tars, challenge bundles, artifacts of runs.
 *
 * Contract: a key is the sha256 of the content, so equal content is stored once and a blob never changes. `put`
 * answers only when the bytes are durable (temporary file, fsync, rename, fsync of the folder); a death before that
 * leaves nothing a key can name. A blob that is read whole is checked. Calls may run concurrently, also on one key.
 */
export interface BlobStore {
  /** Stores the stream or buffer. Rejects with InfraError `BLOB_FULL` or `BLOB_FAILED`; then nothing is kept. */
  put(content: Readable | Buffer): Promise<BlobRef>;
  /** Opens a blob. Rejects with InfraError `BLOB_MISSING`. */
  open(key: string): Promise<Readable>;
  /** The whole blob. Rejects with InfraError `BLOB_MISSING`, or `BLOB_DAMAGED` when it is not what was stored. */
  read(key: string): Promise<Buffer>;
  /** Removes a blob unless it is younger than `minAgeMs`, also when it became so just now. False: it stays. */
  collect(key: string, minAgeMs: number): Promise<boolean>;
  /** Keys older than `minAgeMs`, in no order; for collecting what no row refers to. */
  list(minAgeMs: number): AsyncIterable<string>;
}

/** What nothing refers to may be of an upload whose row is still to come; past this age it is not. */
export const UNREFERENCED_MIN_AGE_MS = 3_600_000;

export interface BlobRef {
  /** "sha256:…" */
  key: string;
  bytes: number;
}
