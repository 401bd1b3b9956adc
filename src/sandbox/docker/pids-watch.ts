import type { ResourceUsage } from '../../domain/grader-protocol.ts';

const SAMPLE_MS = 1000;
/** From its asking a reading counts as fresh for so long: the engine itself reads once a second. */
const FRESH_MS = 1500;
/** A fresh reading below this part of the limit makes another one needless. */
const FAR_FROM_LIMIT = 0.5;

/**
 * Notices that a container met its process limit. The engine tells only the current number, so a limit that is
 * met for less than a second between two looks may stay unseen, and so may one that is met for the first time in the
 * last moment before an end that was asked for.
 */
export class PidsWatch {
  /** It was met at least once. */
  limitHit = false;
  readonly #limit: number;
  readonly #read: () => Promise<ResourceUsage>;
  #timer: NodeJS.Timeout | undefined;
  #reading = false;
  #lifeMs = 0;
  #last: { pids: number; askedMs: number } | undefined;

  constructor(limit: number, read: () => Promise<ResourceUsage>) {
    this.#limit = limit;
    this.#read = read;
  }

  /** Looks once a second until `stop`. */
  start(): void {
    this.stop();
    this.#lifeMs = performance.now();
    this.#last = undefined;
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
    const askedMs = performance.now();
    try {
      this.note(await this.#read(), askedMs);
    } catch {
      // Its end is told elsewhere.
    } finally {
      this.#reading = false;
    }
  }

  /** The last look before an end: nobody waits for the engine, up to a second, where there is nothing to be seen. */
  async lookBeforeEnd(): Promise<void> {
    const { pids, askedMs } = this.#last ?? { pids: Infinity, askedMs: 0 };
    if (pids >= this.#limit * FAR_FROM_LIMIT || performance.now() - askedMs > FRESH_MS) {
      await this.look();
    }
  }

  /** Takes a reading that was asked for at `askedMs`, also one that was made for another purpose. */
  note(usage: ResourceUsage, askedMs: number): void {
    this.limitHit ||= usage.pids >= this.#limit;
    // What an earlier life was seen to use says nothing about this one.
    if (askedMs >= this.#lifeMs) {
      this.#last = { pids: usage.pids, askedMs };
    }
  }
}
