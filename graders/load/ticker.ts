import { FoundAnswers } from './found-answers.ts';
import type { FoundAnswer } from './found-answers.ts';
import type { GeneratorHealth } from './health.ts';

/** The timer looks in at least so often, ms. */
const LONGEST_SLEEP_MS = 25;
/** A timer may come so late; what is due sooner is awaited awake, where that is allowed. */
const TIMER_LATE_MS = 5;
/** Between two looks for answers, ms: what an answer may have to wait for its time stamp. */
const LOOK_EVERY_MS = 0.02;

interface Waiting {
  isMet: (nowMs: number) => boolean;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface TickerOptions {
  /** Does what is due and answers when the next thing is. */
  onTick: (nowMs: number) => number;
  /**
   * The CPU is nobody else's: it stays awake while something is due soon. An idle CPU takes its time to come back, on
   * virtual machines above all, and timers round up to whole milliseconds.
   */
  ownsCpu: boolean;
  /** Told how long it was awake with nothing to do. */
  health: Pick<GeneratorHealth, 'recordIdle' | 'recordUnseen'>;
}

/** One clock for everything that is due by it. */
export class Ticker {
  readonly #options: TickerOptions;
  #armedForMs = Infinity;
  #waiting: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #look: NodeJS.Immediate | undefined;
  /** When the look began that is under way. Undefined: it sleeps, and whatever comes wakes it. */
  #lookMs: number | undefined;
  readonly #answers = new FoundAnswers();

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  /** Something became due at `dueMs`, perhaps before the next tick. */
  wakeBy(dueMs: number, nowMs: number): void {
    if (!this.#waiting || dueMs >= this.#armedForMs) {
      return;
    }
    if (this.#lookMs === undefined) {
      this.#arm(dueMs, nowMs);
    } else {
      // It is awake, and goes by this at its next look.
      this.#armedForMs = dueMs;
    }
  }

  /** Dates an answer that is read at `nowMs` and was asked for at `sentMs`. */
  find(nowMs: number, sentMs: number): FoundAnswer {
    return this.#answers.add(nowMs, sentMs, (ms) => this.#options.health.recordUnseen(ms));
  }

  /** All that came before has been read. Undefined while it sleeps: whatever came woke it. */
  get readUntilMs(): number | undefined {
    return this.#lookMs;
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
    this.#disarm();
    this.#forgetLooks();
    if (error) {
      waiting?.reject(error);
    } else {
      waiting?.resolve();
    }
  }

  #tick(): void {
    this.#answers.settle();
    const nowMs = performance.now();
    this.#armedForMs = nowMs;
    const nextMs = this.#options.onTick(nowMs);
    if (this.#waiting?.isMet(nowMs)) {
      this.#end();
    } else {
      this.#arm(nextMs, nowMs);
    }
  }

  #arm(dueMs: number, nowMs: number): void {
    this.#disarm();
    this.#armedForMs = Math.min(dueMs, nowMs + LONGEST_SLEEP_MS);
    const leftMs = this.#armedForMs - nowMs;
    if (!this.#options.ownsCpu || dueMs > this.#armedForMs) {
      this.#fallAsleep();
      this.#timer = setTimeout(() => this.#tick(), Math.ceil(leftMs));
    } else if (leftMs > TIMER_LATE_MS) {
      this.#fallAsleep();
      this.#timer = setTimeout(() => this.#awake(), leftMs - TIMER_LATE_MS);
    } else {
      this.#lookSoon(performance.now());
    }
  }

  /** The next look is the next thing that the event loop does. */
  #lookSoon(nowMs: number): void {
    this.#keepBound();
    this.#lookMs = nowMs;
    this.#look = setImmediate(() => this.#awake());
  }

  /** What has come until now is read at the next look all the same. After that whatever comes wakes it. */
  #fallAsleep(): void {
    this.#keepBound();
    this.#lookMs = undefined;
    if (this.#answers.sinceMs !== undefined) {
      this.#look = setImmediate(() => this.#forgetLooks());
    }
  }

  /** For what the next look finds. A timer that is due at once comes before it, and the bound is still the one before. */
  #keepBound(): void {
    clearImmediate(this.#look);
    if (this.#lookMs !== undefined) {
      this.#answers.look(this.#lookMs);
    }
  }

  #forgetLooks(): void {
    this.#answers.settle();
    this.#answers.look(undefined);
    this.#lookMs = undefined;
  }

  #disarm(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#look);
  }

  /** Between its turns the event loop reads what has come. */
  #awake(): void {
    this.#answers.settle();
    const fromMs = performance.now();
    const untilMs = Math.min(this.#armedForMs, fromMs + LOOK_EVERY_MS);
    let nowMs = fromMs;
    while (nowMs < untilMs) {
      nowMs = performance.now();
    }
    // Longer only when others had the CPU meanwhile.
    this.#options.health.recordIdle(Math.min(nowMs - fromMs, LOOK_EVERY_MS));
    if (nowMs >= this.#armedForMs) {
      this.#tick();
    } else {
      this.#lookSoon(nowMs);
    }
  }
}
