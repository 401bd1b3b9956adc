import type { ResourceUsage } from '../../domain/grader-protocol.ts';

const SAMPLE_MS = 1000;

/**
 * Notices that a container met its process limit. The engine tells only the current number, so a limit that is
 * met for less than a second between two looks may stay unseen.
 */
export class PidsWatch {
  /** It was met at least once. */
  limitHit = false;
  readonly #limit: number;
  readonly #read: () => Promise<ResourceUsage>;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;

  constructor(limit: number, read: () => Promise<ResourceUsage>) {
    this.#limit = limit;
    this.#read = read;
  }

  /** Looks once a second until `stop`. */
  start(): void {
    this.stop();
    this.#timer = setInterval(() => void this.look(), SAMPLE_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Looks now, unless a look is under way. Never throws: a container that is gone shows nothing. */
  async look(): Promise<void> {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    try {
      this.note(await this.#read());
    } catch {
      // Its end is told elsewhere.
    } finally {
      this.#reading = false;
    }
  }

  /** Takes a reading that was made for another purpose. */
  note(usage: ResourceUsage): void {
    this.limitHit ||= usage.pids >= this.#limit;
  }
}
