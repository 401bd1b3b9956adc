import { setMaxListeners } from 'node:events';
import { formatMs } from '../../src/domain/units.ts';
import { CheckFailure } from './failures.ts';

/** Wall-clock budget of one check. Waiting for the host to restart the service does not use it up. */
export class CheckBudget {
  readonly #controller = new AbortController();
  readonly #limitMs: number;
  #timer: NodeJS.Timeout | undefined;
  #endsAt: number;

  constructor(limitMs: number) {
    this.#limitMs = limitMs;
    // Each of several hundred parallel exchanges listens.
    setMaxListeners(0, this.#controller.signal);
    this.#endsAt = performance.now() + limitMs;
    this.#arm();
  }

  get limitMs(): number {
    return this.#limitMs;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Throws a `CheckFailure` when the time is over. */
  enforce(): void {
    if (this.signal.aborted) {
      throw new CheckFailure(`the check did not end within ${formatMs(this.#limitMs)}`, {}, true);
    }
  }

  /** Lets the clock stand still while `work` runs. */
  async suspend<T>(work: () => Promise<T>): Promise<T> {
    const begin = performance.now();
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      this.#endsAt += performance.now() - begin;
      this.#arm();
    }
  }

  /** Waits, at most until the time is over. */
  async sleep(ms: number): Promise<void> {
    const { signal } = this;
    await new Promise<void>((resolve) => {
      function wake(): void {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      }
      const timer = setTimeout(wake, ms);
      signal.addEventListener('abort', wake);
      if (signal.aborted) {
        wake();
      }
    });
    this.enforce();
  }

  /** Ends what runs under this budget now. */
  expire(): void {
    this.close();
    this.#controller.abort();
  }

  /** Frees the timer. */
  close(): void {
    clearTimeout(this.#timer);
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const restMs = Math.max(0, this.#endsAt - performance.now());
    this.#timer = setTimeout(() => this.#controller.abort(), restMs);
  }
}
