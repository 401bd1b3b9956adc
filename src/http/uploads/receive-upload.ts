import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyRequest } from 'fastify';
import { diskError } from '../../domain/disk-error.ts';
import { Problem } from '../problems.ts';

/** A file that was received whole, under a random name of ours. */
export interface ReceivedUpload {
  path: string;
  bytes: number;
  /** "sha256:…" of the bytes as they came. */
  digest: string;
}

export interface UploadRules {
  /** Name of the one part that is expected. */
  field: string;
  maxBytes: number;
  folder: string;
}

const PART_LIMITS = { files: 1, parts: 5, fields: 4, fieldSize: 1024, fieldNameSize: 64, headerPairs: 50 };

/**
 * Streams the one file of a multipart request to disk, hashes it on the way, and hands it to `use`. The file is gone
 * when this settles, whatever happens: refusal, abort, a full disk. What the uploader calls the file is not used.
 * Rejects with InfraError `BLOB_FULL` or `BLOB_FAILED` when the disk does not take it.
 */
export async function withUpload<T>(
  request: FastifyRequest,
  rules: UploadRules,
  use: (upload: ReceivedUpload, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  await mkdir(rules.folder, { recursive: true, mode: 0o700 }).catch(onDisk);
  const path = join(rules.folder, `${randomUUID()}.upload`);
  const { signal, stop } = watchAbort(request);
  try {
    const upload = await receive(request, rules, path).catch(explain);
    signal.throwIfAborted();
    return await use(upload, signal);
  } finally {
    stop();
    await rm(path, { force: true });
  }
}

async function receive(request: FastifyRequest, rules: UploadRules, path: string): Promise<ReceivedUpload> {
  if (!request.isMultipart()) {
    throw new Problem('UNSUPPORTED_TYPE', `Send multipart/form-data with the file as "${rules.field}".`);
  }
  let upload: ReceivedUpload | undefined;
  const parts = request.parts({ limits: { ...PART_LIMITS, fileSize: rules.maxBytes } });
  for await (const part of parts) {
    if (part.type === 'field' || part.fieldname !== rules.field || upload !== undefined) {
      if (part.type === 'file') {
        part.file.resume();
      }
      throw new Problem('MALFORMED_UPLOAD', `Send one file, as "${rules.field}", and no other fields.`);
    }
    upload = await save(part.file, path);
    if (part.file.truncated) {
      throw new Problem('TOO_LARGE', 'The file is larger than this call takes.');
    }
  }
  if (upload === undefined) {
    throw new Problem('MALFORMED_UPLOAD', `There is no file; send one as "${rules.field}".`);
  }
  return upload;
}

/** The parser's own errors are plain ones, without a code; they are about what was sent. */
function explain(error: unknown): never {
  if (error instanceof Error && !('code' in error)) {
    throw new Problem('MALFORMED_UPLOAD', 'The upload is cut off, or no well-formed multipart/form-data.');
  }
  throw error;
}

async function save(file: Readable, path: string): Promise<ReceivedUpload> {
  const hash = createHash('sha256');
  let bytes = 0;
  async function* measure(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  await pipeline(file, measure, createWriteStream(path, { flags: 'wx', mode: 0o600 })).catch(onDisk);
  return { path, bytes, digest: `sha256:${hash.digest('hex')}` };
}

/** A full disk is a fault of ours that may pass, not a broken program. */
function onDisk(error: unknown): never {
  throw diskError(error);
}

/** Aborts when the client goes away before it was answered. */
function watchAbort(request: FastifyRequest): { signal: AbortSignal; stop: () => void } {
  const controller = new AbortController();
  function gone(): void {
    controller.abort(new Problem('MALFORMED_UPLOAD', 'The client went away.'));
  }
  request.raw.socket.once('close', gone);
  return { signal: controller.signal, stop: () => request.raw.socket.off('close', gone) };
}
