/** Bytes per second we read of a candidate's output; the pipe's back-pressure slows a flooder down to it. */
const LOG_BYTES_PER_SECOND = 8 * 1024 ** 2;
const BURST_BYTES = 1024 ** 2;

/** A token bucket over bytes: tells how long to wait before the next read. */
export class Pace {
  /** A wait was imposed at least once. */
  throttled = false;
  readonly #bytesPerMs: number;
  #tokens = BURST_BYTES;
  #lastMs = performance.now();
  #released = false;

  constructor(bytesPerSecond: number = LOG_BYTES_PER_SECOND) {
    this.#bytesPerMs = bytesPerSecond / 1000;
  }

  /** Takes bytes that were read. Returns the wait before the next read, ms; 0 inside the burst. */
  take(bytes: number): number {
    const nowMs = performance.now();
    this.#tokens = Math.min(BURST_BYTES, this.#tokens + (nowMs - this.#lastMs) * this.#bytesPerMs);
    this.#lastMs = nowMs;
    this.#tokens -= bytes;
    if (this.#released || this.#tokens >= 0) {
      return 0;
    }
    this.throttled = true;
    return Math.ceil(-this.#tokens / this.#bytesPerMs);
  }

  /** No waits from now on: the writer has ended, and what is left in the pipes is small and bounded. */
  release(): void {
    this.#released = true;
  }
}
