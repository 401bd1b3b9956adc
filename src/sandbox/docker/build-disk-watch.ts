import { setTimeout as delay } from 'node:timers/promises';
import { InfraError } from '../../domain/errors.ts';

const MIN_PAUSE_MS = 500;
/** The engine walks all files for each reading, so readings get rarer as the tree grows. */
const PAUSE_PER_READING = 3;
const MAX_FAILURES = 3;

/**
 * Reads the size of a container's writable root until `signal` aborts. Resolves with true when it passed the limit,
 * with false when it was stopped. Throws InfraError `DISK_UNWATCHED` when the size cannot be read several times in
 * a row: an unwatched build must not go on.
 */
export async function watchDisk(
  readBytes: () => Promise<number>,
  limitBytes: number,
  signal: AbortSignal,
): Promise<boolean> {
  let failures = 0;
  let pauseMs = MIN_PAUSE_MS;
  while (!signal.aborted) {
    await delay(pauseMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) {
      return false;
    }
    const startMs = performance.now();
    try {
      if ((await readBytes()) > limitBytes) {
        return true;
      }
      failures = 0;
    } catch (error) {
      failures += 1;
      if (failures >= MAX_FAILURES && !signal.aborted) {
        throw new InfraError('DISK_UNWATCHED', 'the engine did not tell the size of a build', {
          cause: error,
        });
      }
    }
    pauseMs = Math.max(MIN_PAUSE_MS, PAUSE_PER_READING * (performance.now() - startMs));
  }
  return false;
}
