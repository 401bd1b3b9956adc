import type { Alarm } from './alarm.ts';

/** The timer looks in at least so often, ms. */
const LONGEST_SLEEP_MS = 25;

interface Waiting {
  isMet: (nowMs: number) => boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** One timer for everything that is due by the clock. */
export class Ticker {
  readonly #onTick: (nowMs: number) => number;
  readonly #alarm: Alarm;
  #armedForMs = Infinity;
  #waiting: Waiting | undefined;

  /** `onTick` does what is due and answers when the next thing is. */
  constructor(alarm: Alarm, onTick: (nowMs: number) => number) {
    this.#onTick = onTick;
    this.#alarm = alarm;
    alarm.onRing = () => this.#ring();
  }

  /** Something became due at `dueMs`, perhaps before the next tick. */
  wakeBy(dueMs: number, nowMs: number): void {
    if (this.#waiting && dueMs < this.#armedForMs) {
      this.#arm(dueMs, nowMs);
    }
  }

  /** Ticks until `isMet` holds after a tick. One wait at a time. */
  async waitUntil(isMet: (nowMs: number) => boolean, signal: AbortSignal): Promise<void> {
    const onAbort = (): void => this.#end(signal.reason as Error);
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await new Promise<void>((resolve, reject) => {
        this.#waiting = { isMet, resolve, reject };
        this.#tick();
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #end(error?: Error): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (error) {
      waiting?.reject(error);
    } else {
      waiting?.resolve();
    }
  }

  /** Also for a time that no longer holds: one look too many does no harm. */
  #ring(): void {
    if (this.#waiting) {
      this.#tick();
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    this.#armedForMs = nowMs;
    const nextMs = this.#onTick(nowMs);
    if (this.#waiting?.isMet(nowMs)) {
      this.#end();
    } else {
      this.#arm(nextMs, nowMs);
    }
  }

  #arm(dueMs: number, nowMs: number): void {
    this.#armedForMs = Math.min(dueMs, nowMs + LONGEST_SLEEP_MS);
    this.#alarm.set(this.#armedForMs);
  }
}
