import { InfraError } from '../../domain/errors.ts';
import { abortable } from '../../shared/abortable.ts';
import type { Container } from './container.ts';
import type { DockerClient } from './docker-client.ts';
import { removeContainer, removeVolume } from './removal.ts';

/** Names of things that are made and removed together. */
export interface OwnObjects {
  containers: readonly string[];
  volumes: readonly string[];
}

/**
 * The engine's objects of one pod. They are known by name before they are made, so that one whose creation was
 * abandoned half-way is removed like any other.
 */
export class PodObjects {
  readonly #client: DockerClient;
  readonly #containers = new Set<string>();
  readonly #volumes = new Set<string>();
  readonly #started = new Set<Container>();
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(client: DockerClient) {
    this.#client = client;
  }

  /** Takes over a container that exists. */
  adopt(name: string): void {
    this.#containers.add(name);
  }

  /** Says that this container runs and has to be told before its removal. */
  expect(container: Container): void {
    this.#started.add(container);
  }

  /**
   * Runs `work`, which makes `own`. When it fails or the signal aborts, this ends at once with the error, and what
   * was or is still being made is removed behind it.
   */
  async make<T>(own: OwnObjects, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    for (const name of own.containers) {
      this.#containers.add(name);
    }
    for (const name of own.volumes) {
      this.#volumes.add(name);
    }
    const working = this.#track(work());
    try {
      return await abortable(working, signal);
    } catch (error) {
      void this.#track(this.#removeAfter(working, own)).catch(() => undefined);
      throw error;
    }
  }

  /** Removes `own`, containers in parallel and then volumes. Throws InfraError when something stays. */
  async remove(own: OwnObjects, started: readonly Container[]): Promise<void> {
    for (const container of started) {
      this.#started.delete(container);
      container.expectRemoval();
    }
    await settleAll(own.containers.map((name) => this.#removeContainer(name)));
    await settleAll(own.volumes.map((name) => this.#removeVolume(name)));
  }

  /** Removes everything, after what is being made was made. Throws InfraError when something stays. */
  async removeAll(): Promise<void> {
    for (const container of this.#started) {
      container.expectRemoval();
    }
    while (this.#underWay.size > 0) {
      await Promise.allSettled(this.#underWay);
    }
    await settleAll([...this.#containers].map((name) => this.#removeContainer(name)));
    await settleAll([...this.#volumes].map((name) => this.#removeVolume(name)));
  }

  async #removeAfter(working: Promise<unknown>, own: OwnObjects): Promise<void> {
    await working.catch(() => undefined);
    await this.remove(own, []);
  }

  async #removeContainer(name: string): Promise<void> {
    await removeContainer(this.#client, name);
    this.#containers.delete(name);
  }

  async #removeVolume(name: string): Promise<void> {
    await removeVolume(this.#client, name);
    this.#volumes.delete(name);
  }

  #track<T>(promise: Promise<T>): Promise<T> {
    this.#underWay.add(promise);
    const forget = () => this.#underWay.delete(promise);
    promise.then(forget, forget);
    return promise;
  }
}

/** Waits for all, and throws the first failure only then: one wedged object must not keep the others. */
async function settleAll(promises: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(promises);
  const failed = results.filter((result) => result.status === 'rejected');
  const [first] = failed;
  if (first) {
    throw new InfraError('CLEANUP_FAILED', `${failed.length} objects of a pod could not be removed`, {
      mend: 'they are removed by a later sweep; look at the engine with "assay doctor" when it happens again',
      cause: first.reason,
    });
  }
}
