/** An answer that was read, and when it came. */
export interface FoundAnswer {
  /** At first as if no other had been found with it. */
  cameMs: number;
  /** When its request was sent. */
  readonly sentMs: number;
  /** Told when it came as soon as that is known; undefined: it is known, or nobody asked yet. */
  onDated: ((cameMs: number) => void) | undefined;
  /** All that was found with it has been read. */
  dated: boolean;
}

/** Between two looks so close to each other, ms, it makes no difference where an answer came. */
const CLOSE_MS = 0.1;

/**
 * Dates answers that were found by looking, not by waiting for them. What a look finds was not there at the look
 * before. Mostly that is microseconds ago; but where this process was held up meanwhile, by its compiler or by others
 * that want the CPU, it can be milliseconds, which are not the service's. The kernel hands connections over in the
 * order in which they became ready, but for one that was just read and is ready again. Of n answers that come anywhere
 * within a time, the k-th comes after k of n + 1 equal parts of it on average (the mean of the k-th order statistic of
 * a uniform distribution), and none before its request.
 */
export class FoundAnswers {
  #sinceMs: number | undefined;
  /** When the first was read: the others were there by then, and wait for this process alone. */
  #readMs: number | undefined;
  #found: FoundAnswer[] = [];

  /** The next look finds what came after `sinceMs`. Undefined: whatever comes wakes this process, and comes as it is read. */
  look(sinceMs: number | undefined): void {
    this.#sinceMs = sinceMs;
    this.#readMs = undefined;
  }

  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  /** Takes an answer that is read at `nowMs`. `onUnseen` is told half the time in which it may have come, ms. */
  add(nowMs: number, sentMs: number, onUnseen: (ms: number) => void): FoundAnswer {
    if (this.#sinceMs === undefined) {
      return { cameMs: nowMs, sentMs, onDated: undefined, dated: true };
    }
    this.#readMs ??= nowMs;
    const unseenMs = Math.max(0, this.#readMs - Math.max(this.#sinceMs, sentMs)) / 2;
    onUnseen(unseenMs);
    const cameMs = Math.max(sentMs, this.#readMs - unseenMs);
    const dated = this.#readMs - this.#sinceMs <= CLOSE_MS;
    const answer = { cameMs, sentMs, onDated: undefined, dated };
    if (!dated) {
      this.#found.push(answer);
    }
    return answer;
  }

  /** The look is over: dates all that it found. */
  settle(): void {
    if (this.#found.length === 0) {
      return;
    }
    const sinceMs = this.#sinceMs ?? 0;
    const untilMs = this.#readMs ?? sinceMs;
    // One whose request was sent in that time cannot have come before the others.
    const found = this.#found.toSorted((a, b) => Math.max(a.sentMs, sinceMs) - Math.max(b.sentMs, sinceMs));
    this.#found = [];
    let fromMs = sinceMs;
    for (const [index, answer] of found.entries()) {
      fromMs = Math.max(fromMs, Math.min(answer.sentMs, untilMs));
      fromMs += (untilMs - fromMs) / (found.length - index + 1);
      answer.cameMs = Math.max(fromMs, answer.sentMs);
      answer.dated = true;
      answer.onDated?.(answer.cameMs);
    }
  }
}

/** Calls back with when an answer came, now or once all that was found with it has been read. */
export function whenDated(answer: FoundAnswer, onDated: (cameMs: number) => void): void {
  if (answer.dated) {
    onDated(answer.cameMs);
  } else {
    answer.onDated = onDated;
  }
}
