import { setTimeout as sleep } from 'node:timers/promises';
import type { ImageId, RunIdentity } from '../sandbox-engine.ts';
import { engineTimeMs } from './cleanup.ts';
import type { DockerClient } from './docker-client.ts';
import { engineStatus } from './docker-client.ts';
import { lockdown, POD_LABEL } from './host-config.ts';
import { labelsFor, type Owner } from './labels.ts';
import { removeContainer } from './removal.ts';

/** The engine lets only one container have a name, and answers 409 to the second: that is the lock. */
const LOCK_NAME = 'assay-exclusive';
const RETRY_MS = 200;
/** A lock is made before its pod can be seen to live; younger ones are never taken for forgotten. */
const GRACE_MS = 60_000;

export interface LockHolder {
  owner: Owner;
  identity: RunIdentity;
  /** Name of the holder's pause: while it runs, the lock is held. */
  pause: string;
  image: ImageId;
}

/**
 * Waits until this pod alone of all on this engine, whatever their installation, holds the host, and returns the id
 * of the container that stands for it: its removal lets go. The container is never started. Throws InfraError or
 * the signal's reason.
 */
export async function takeHostLock(
  client: DockerClient,
  seccomp: string,
  holder: LockHolder,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    try {
      const container = await client.call('take the host', () =>
        client.api.createContainer({
          name: LOCK_NAME,
          Image: holder.image,
          Entrypoint: ['/pause'],
          Labels: { ...labelsFor(holder.owner, holder.identity, 'lock'), [POD_LABEL]: holder.pause },
          HostConfig: { ...lockdown(seccomp), NetworkMode: 'none' },
        }),
      );
      return container.id;
    } catch (error) {
      if (engineStatus(error) !== 409) {
        throw error;
      }
    }
    await dropForgotten(client);
    await sleep(RETRY_MS, undefined, { signal });
  }
}

/** Removes a lock whose pod has ended. Another installation's sweep would never touch it. */
async function dropForgotten(client: DockerClient): Promise<void> {
  const lock = await inspect(client, LOCK_NAME);
  if (!lock || Date.parse(lock.Created) > (await engineTimeMs(client)) - GRACE_MS) {
    return;
  }
  const pause = lock.Config.Labels[POD_LABEL];
  const living = pause !== undefined && (await inspect(client, pause))?.State.Running === true;
  if (!living) {
    // By id: a lock that somebody has just taken has another one.
    await removeContainer(client, lock.Id);
  }
}

async function inspect(client: DockerClient, name: string) {
  try {
    return await client.call('look at the host lock', () => client.api.getContainer(name).inspect());
  } catch (error) {
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}
