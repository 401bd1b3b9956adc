import type { Logger } from '../../shared/logger.ts';
import type { RunIdentity } from '../sandbox-engine.ts';
import { containerName } from './host-config.ts';
import type { PauseProcess } from './pause-process.ts';
import { removeContainer } from './removal.ts';
import type { DockerClient } from './docker-client.ts';

export interface PausePoolOptions {
  client: DockerClient;
  /** How many started pauses to keep; 0 = none. */
  size: number;
  /** Creates and starts a pause of this name. */
  begin: (name: string, identity: RunIdentity, signal: AbortSignal) => Promise<PauseProcess>;
  logger?: Logger;
}

const NO_RUN: RunIdentity = { run: '', epoch: 0 };

/** Started pauses that no run has taken yet. */
export class PausePool {
  readonly #options: PausePoolOptions;
  readonly #warm: PauseProcess[] = [];
  readonly #filling = new Set<Promise<void>>();
  readonly #closing = new AbortController();

  constructor(options: PausePoolOptions) {
    this.#options = options;
  }

  /** A warm pause when there is one, else undefined. The caller owns it then. */
  take(): PauseProcess | undefined {
    for (;;) {
      const pause = this.#warm.shift();
      if (pause === undefined || pause.alive) {
        return pause;
      }
      // Lost with its connection, when the engine was restarted.
      void this.#remove(pause.name);
    }
  }

  /** Starts what is missing in the background. Costs the engine a third of a second each: not while a run starts. */
  refill(): void {
    const { size } = this.#options;
    while (!this.#closing.signal.aborted && this.#warm.length + this.#filling.size < size) {
      const filling: Promise<void> = this.#fill().finally(() => this.#filling.delete(filling));
      this.#filling.add(filling);
    }
  }

  /** Resolves when no refill is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#filling);
  }

  /** Removes all warm pauses; further refills do nothing. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.settled();
    await Promise.all(this.#warm.splice(0).map((pause) => this.#remove(pause.name)));
  }

  async #fill(): Promise<void> {
    const name = containerName('pause');
    try {
      const pause = await this.#options.begin(name, NO_RUN, this.#closing.signal);
      if (this.#closing.signal.aborted) {
        await this.#remove(name);
        return;
      }
      this.#warm.push(pause);
    } catch (error) {
      if (!this.#closing.signal.aborted) {
        this.#options.logger?.warn({ err: error }, 'a warm pod could not be started');
      }
      await this.#remove(name);
    }
  }

  async #remove(name: string): Promise<void> {
    await removeContainer(this.#options.client, name).catch((error: unknown) => {
      this.#options.logger?.warn({ err: error, name }, 'a warm pod could not be removed');
    });
  }
}
