/** Items ordered by the time they are due: a binary heap. Items due at one time leave in no given order. */
export class WakeQueue<T> {
  readonly #times: number[] = [];
  readonly #items: T[] = [];

  get size(): number {
    return this.#times.length;
  }

  /** When the earliest item is due, ms; Infinity when there is none. */
  get nextMs(): number {
    return this.#times[0] ?? Infinity;
  }

  /** Adds an item that is due at `timeMs`. */
  push(timeMs: number, item: T): void {
    this.#times.push(timeMs);
    this.#items.push(item);
    let at = this.#times.length - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((this.#times[parent] ?? 0) <= timeMs) {
        break;
      }
      this.#swap(at, parent);
      at = parent;
    }
  }

  /** Takes the earliest item if it is due at `nowMs`. */
  popDue(nowMs: number): { timeMs: number; item: T } | undefined {
    const timeMs = this.#times[0];
    const item = this.#items[0];
    if (timeMs === undefined || timeMs > nowMs) {
      return undefined;
    }
    this.#swap(0, this.#times.length - 1);
    this.#times.pop();
    this.#items.pop();
    this.#sinkRoot();
    return { timeMs, item: item as T };
  }

  clear(): void {
    this.#times.length = 0;
    this.#items.length = 0;
  }

  #sinkRoot(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      let least = at;
      if (this.#timeAt(left) < this.#timeAt(least)) {
        least = left;
      }
      if (this.#timeAt(right) < this.#timeAt(least)) {
        least = right;
      }
      if (least === at) {
        return;
      }
      this.#swap(at, least);
      at = least;
    }
  }

  #timeAt(index: number): number {
    return this.#times[index] ?? Infinity;
  }

  #swap(a: number, b: number): void {
    const time = this.#times[a];
    const item = this.#items[a];
    this.#times[a] = this.#times[b] as number;
    this.#items[a] = this.#items[b] as T;
    this.#times[b] = time as number;
    this.#items[b] = item as T;
  }
}
