import type { Exchange } from '../../src/domain/grader-protocol.ts';

/** One exchange with its place in the check. */
export interface RecordedExchange {
  /** "steps[2]" */
  at: string;
  /** ISO 8601. */
  startedAt: string;
  exchange: Exchange;
}

/** Of one check; what a load of requests does shows in its first ones. */
const MAX_EXCHANGES = 40;

/** All exchanges of a check in order, up to a cap. */
export class ExchangeRecord {
  readonly entries: RecordedExchange[] = [];
  #left = 0;

  /** How many were made beyond those that are kept. */
  get left(): number {
    return this.#left;
  }

  /** Keeps what `make` gives while there is room. `beganMs` is on the clock of `performance.now()`. */
  add(at: string, beganMs: number, make: () => Exchange): void {
    if (this.entries.length >= MAX_EXCHANGES) {
      this.#left += 1;
      return;
    }
    const startedAt = new Date(performance.timeOrigin + beganMs).toISOString();
    this.entries.push({ at, startedAt, exchange: make() });
  }
}
