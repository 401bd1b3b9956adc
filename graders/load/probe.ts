import type { Threshold } from '../../src/domain/load-threshold.ts';
import type { KneeStep } from '../../src/domain/load-result.ts';
import { RowRecorder } from './recorder.ts';
import type { Outcome } from './recorder.ts';
import { judgeThreshold } from './thresholds.ts';

const PERCENTILES: Readonly<Record<string, number>> = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99 };

interface ProbeOptions {
  startMs: number;
  rate: number;
  /** Arrivals in all. */
  wanted: number;
  /** Requests that an arrival may make, at the most. */
  mostSteps: number;
  clauses: readonly Threshold[];
}

/** One short measurement at one rate, apart from the figures of the test. */
export class Probe {
  readonly startMs: number;
  readonly #rate: number;
  readonly #wanted: number;
  readonly #clauses: readonly Threshold[];
  readonly #rowNames: readonly string[];
  readonly #rows: RowRecorder[];
  readonly #longestMs: number;
  readonly #mayBeLate: number;
  readonly #mayFail: number;
  #late = 0;
  #lost = 0;

  constructor(options: ProbeOptions, rowNames: readonly string[]) {
    const { startMs, rate, wanted, mostSteps, clauses } = options;
    const mostRequests = wanted * mostSteps;
    this.startMs = startMs;
    this.#rate = rate;
    this.#wanted = wanted;
    this.#clauses = clauses;
    this.#rowNames = rowNames;
    this.#rows = rowNames.map(() => new RowRecorder());
    // Only a clause about all requests can be given up before the end: how many a task will get is not known.
    const whole = clauses.filter((clause) => clause.task === undefined);
    const percentile = whole.find(({ metric }) => PERCENTILES[metric] !== undefined);
    this.#longestMs = percentile?.limit ?? Infinity;
    this.#mayBeLate = percentile ? mostRequests * (1 - (PERCENTILES[percentile.metric] ?? 0)) : Infinity;
    const errors = whole.find(({ metric }) => metric === 'errors');
    this.#mayFail = errors ? mostRequests * errors.limit : Infinity;
  }

  record(outcome: Outcome): void {
    this.#rows[outcome.row]?.record(outcome);
    this.#lost += outcome.failure === undefined ? 0 : 1;
    this.#late += outcome.endMs - outcome.intendedMs > this.#longestMs ? 1 : 0;
  }

  recordUnsent(row: number): void {
    const recorder = this.#rows[row];
    if (recorder) {
      recorder.unsent += 1;
    }
    this.#lost += 1;
  }

  /**
   * Tells at any time whether the objective cannot hold any more, whatever comes. `lateInQueue` answers how many
   * arrivals have waited since before a time.
   */
  hopeless(lateInQueue: (sinceMs: number) => number): (nowMs: number) => boolean {
    return (nowMs) =>
      this.#lost > this.#mayFail + 1 ||
      this.#late > this.#mayBeLate + 1 ||
      this.#late + lateInQueue(nowMs - this.#longestMs) > this.#mayBeLate + 1;
  }

  /** Judges the objective. `gaveUp`: the measurement was ended early as hopeless. */
  finish(fromS: number, toS: number, gaveUp: boolean): KneeStep {
    const total = new RowRecorder();
    for (const row of this.#rows) {
      total.add(row);
    }
    const seconds = this.#wanted / this.#rate;
    const ok =
      !gaveUp &&
      this.#clauses.every((clause) => {
        const index = clause.task === undefined ? -1 : this.#rowNames.indexOf(clause.task);
        const row = clause.task === undefined ? total : (this.#rows[index] ?? new RowRecorder());
        return judgeThreshold('', clause, { row, countedSeconds: seconds }).result.ok;
      });
    const latency = total.latency.summary();
    return {
      rate: Math.round(this.#rate * 100) / 100,
      fromS,
      toS,
      ok,
      requests: total.requests,
      failures: total.failures,
      unsent: total.unsent,
      p50: latency?.p50 ?? null,
      p95: latency?.p95 ?? null,
      p99: latency?.p99 ?? null,
    };
  }
}
