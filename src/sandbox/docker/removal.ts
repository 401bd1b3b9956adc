import { setTimeout as delay } from 'node:timers/promises';
import { InfraError } from '../../domain/errors.ts';
import type { DockerClient } from './docker-client.ts';
import { engineStatus } from './docker-client.ts';

const REMOVE_DEADLINE_MS = 30_000;
const POLL_MS = 10;
const RETRY_MS = 100;

/**
 * Removes a container, running or not, with its anonymous volumes. Ends quietly when it is gone or when someone
 * else is removing it and finishes. Throws InfraError when it is still there at the deadline: the engine's own last
 * word, where it had one.
 */
export async function removeContainer(
  client: DockerClient,
  idOrName: string,
  deadlineMs: number = REMOVE_DEADLINE_MS,
): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  let refused: Error | undefined;
  for (;;) {
    const leftMs = untilMs - performance.now();
    if (leftMs <= 0) {
      throw (
        refused ??
        new InfraError('ENGINE_TIMEOUT', `container ${idOrName} could not be removed in ${deadlineMs} ms`)
      );
    }
    try {
      await client.call(
        `remove container ${idOrName}`,
        () => client.api.getContainer(idOrName).remove({ force: true, v: true }),
        { deadlineMs: leftMs },
      );
      return;
    } catch (error) {
      const status = engineStatus(error);
      if (status === 404) {
        return;
      }
      // 409: another removal is under way. It ends in 404, or fails and lets us try.
      if (status === 409) {
        await delay(POLL_MS);
        continue;
      }
      // 500: the container ended by itself while the engine was about to kill it, for one. It can be tried again.
      if (status !== 500 || !(error instanceof Error)) {
        throw refused ?? error;
      }
      refused = error;
      await delay(RETRY_MS);
    }
  }
}

/** Removes a volume that no container uses any more. Quiet when it is gone. Throws InfraError otherwise. */
export async function removeVolume(
  client: DockerClient,
  name: string,
  deadlineMs: number = REMOVE_DEADLINE_MS,
): Promise<void> {
  try {
    await client.call(`remove volume ${name}`, () => client.api.getVolume(name).remove(), { deadlineMs });
  } catch (error) {
    if (engineStatus(error) !== 404) {
      throw error;
    }
  }
}
