import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { IntakeLimits } from './limits.ts';
import { refusal } from './refusals.ts';
import { checkRatio, tooLargeUnpacked } from './submission-tree.ts';

const INPUT_CHUNK_BYTES = 16 * 1024;

/**
 * Unpacks gzip, members that follow one another included, and counts what comes out: stops at the size
 * limits whatever the headers say. Throws IntakeError ARCHIVE_TOO_LARGE or ARCHIVE_CORRUPT.
 */
export async function* gunzipCounted(archive: Buffer, limits: IntakeLimits): AsyncGenerator<Buffer> {
  // In small steps: handed over whole, a zero-filled bomb would unpack ahead of its reader.
  const gunzip = createGunzip();
  pipeline(Readable.from(slices(archive)), gunzip, ignoreEnd);
  let expandedBytes = 0;
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      expandedBytes += chunk.length;
      if (expandedBytes > limits.expandedBytes) {
        throw tooLargeUnpacked(limits);
      }
      checkRatio(expandedBytes, archive.length, limits);
      yield chunk;
    }
  } catch (error) {
    throw isZlibError(error) ? corruptGzip('it is truncated or damaged') : error;
  } finally {
    gunzip.destroy();
  }
  if (gunzip.bytesWritten < archive.length) {
    throw corruptGzip('data follows its end');
  }
}

function* slices(archive: Buffer): Generator<Buffer> {
  for (let start = 0; start < archive.length; start += INPUT_CHUNK_BYTES) {
    yield archive.subarray(start, start + INPUT_CHUNK_BYTES);
  }
}

/** The loop over the output sees every error; `pipeline` wants a place for it as well. */
function ignoreEnd(): void {}

function isZlibError(error: unknown): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && error.code.startsWith('Z_')
  );
}

function corruptGzip(what: string): Error {
  return refusal(
    'ARCHIVE_CORRUPT',
    `The gzip archive is damaged: ${what}.`,
    'Pack it again and upload it anew.',
  );
}
