import type { CompiledTask, UserKind } from './compile-plan.ts';

/** A request that the plan wanted at a time. */
export interface Arrival {
  kind: UserKind;
  task: CompiledTask;
  intendedMs: number;
  /** It shows in the results. */
  counted: boolean;
}

/** Arrivals that found no free user, first in first out for each kind of user, bounded over all kinds. */
export class ArrivalQueue {
  readonly #waiting: Arrival[][];
  readonly #heads: number[];
  readonly #limit: number;
  #size = 0;

  constructor(kindCount: number, limit: number) {
    this.#waiting = Array.from({ length: kindCount }, () => []);
    this.#heads = this.#waiting.map(() => 0);
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** How many wait for a user of this kind. */
  sizeOf(kind: UserKind): number {
    return (this.#waiting[kind.index]?.length ?? 0) - (this.#heads[kind.index] ?? 0);
  }

  /** How many were wanted before a time. */
  olderThan(timeMs: number): number {
    let count = 0;
    for (const [kind, waiting] of this.#waiting.entries()) {
      for (let at = this.#heads[kind] ?? 0; at < waiting.length; at += 1) {
        if ((waiting[at]?.intendedMs ?? Infinity) >= timeMs) {
          break;
        }
        count += 1;
      }
    }
    return count;
  }

  /** Answers false when the queue is full. */
  push(arrival: Arrival): boolean {
    if (this.#size >= this.#limit) {
      return false;
    }
    this.#waiting[arrival.kind.index]?.push(arrival);
    this.#size += 1;
    return true;
  }

  shift(kind: UserKind): Arrival | undefined {
    const waiting = this.#waiting[kind.index] ?? [];
    const head = this.#heads[kind.index] ?? 0;
    const arrival = waiting[head];
    if (!arrival) {
      return undefined;
    }
    this.#size -= 1;
    // Taken places are given back in one go once they are half of the list.
    const next = head + 1;
    if (next * 2 > waiting.length) {
      waiting.splice(0, next);
      this.#heads[kind.index] = 0;
    } else {
      this.#heads[kind.index] = next;
    }
    return arrival;
  }

  /** Takes all that wait. */
  takeAll(): Arrival[] {
    const all = this.#waiting.flatMap((waiting, kind) => waiting.slice(this.#heads[kind]));
    this.#waiting.forEach((waiting) => waiting.splice(0));
    this.#heads.fill(0);
    this.#size = 0;
    return all;
  }
}
