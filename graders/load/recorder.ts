import type { LoadTask } from '../../src/domain/report.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import { percentCells, timeCells } from './time-cells.ts';

/** How one request went. Times are of one monotonic clock, ms. */
export interface Outcome {
  /** Which row of the results it belongs to. */
  row: number;
  /** From when its time counts: when the plan wanted it to start, the generator's own lateness taken off. */
  intendedMs: number;
  /** When it was really sent; undefined when it never was. */
  sentMs: number | undefined;
  endMs: number;
  /** Undefined when all was as expected. */
  failure: string | undefined;
  /** A response came, whatever was in it. */
  answered: boolean;
  /** Warm-ups are not counted: they show in the curves alone. */
  counted: boolean;
}

/** What happened in one second. Latency is intended start to end of successful requests. */
export interface Interval {
  atS: number;
  lengthS: number;
  requests: number;
  failures: number;
  users: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
}

/** An interval with what Locust's history file tells besides. */
interface RecordedInterval extends Interval {
  /** Percentiles of this second, and median, average, least and most of all so far. */
  history: { percentiles: number[] | undefined; totals: number[] };
}

const MAX_ERROR_KINDS = 20;
const OTHER_ERRORS = 'other failures';

/** Counts of one row, and its times: successes and failures never share a histogram. */
export class RowRecorder {
  requests = 0;
  failures = 0;
  /** Requests that were answered, and those whose answer was right. */
  answered = 0;
  /** Requests that the plan wanted and that were never sent. They count as errors of the service. */
  unsent = 0;
  readonly latency = new LatencyHistogram();
  readonly serviceTime = new LatencyHistogram();
  readonly failureLatency = new LatencyHistogram();
  readonly #errors = new Map<string, number>();

  record({ intendedMs, sentMs, endMs, failure, answered }: Outcome): void {
    this.requests += 1;
    this.answered += answered ? 1 : 0;
    if (failure === undefined) {
      this.latency.record(endMs - intendedMs);
      this.serviceTime.record(endMs - (sentMs ?? intendedMs));
      return;
    }
    this.failures += 1;
    this.failureLatency.record(endMs - intendedMs);
    this.#countError(failure, 1);
  }

  add(other: RowRecorder): void {
    this.requests += other.requests;
    this.failures += other.failures;
    this.answered += other.answered;
    this.unsent += other.unsent;
    this.latency.add(other.latency);
    this.serviceTime.add(other.serviceTime);
    this.failureLatency.add(other.failureLatency);
    for (const [message, count] of other.#errors) {
      this.#countError(message, count);
    }
  }

  get successes(): number {
    return this.requests - this.failures;
  }

  /** The share of wanted requests that failed or were never sent, 0 to 1. */
  get errorRatio(): number {
    const wanted = this.requests + this.unsent;
    return wanted === 0 ? 0 : (this.failures + this.unsent) / wanted;
  }

  toTask(name: string, countedSeconds: number): LoadTask {
    const rate = countedSeconds > 0 ? this.requests / countedSeconds : 0;
    return {
      name,
      requests: this.requests,
      failures: this.failures,
      requestsPerSecond: Math.round(rate * 100) / 100,
      latency: this.latency.summary(),
      serviceTime: this.serviceTime.summary(),
      failureLatency: this.failureLatency.summary(),
      errors: [...this.#errors]
        .map(([message, count]) => ({ message, count }))
        .toSorted((a, b) => b.count - a.count || a.message.localeCompare(b.message)),
    };
  }

  #countError(message: string, count: number): void {
    const known = this.#errors.get(message);
    const key = known === undefined && this.#errors.size >= MAX_ERROR_KINDS - 1 ? OTHER_ERRORS : message;
    this.#errors.set(key, (this.#errors.get(key) ?? 0) + count);
  }
}

/** Everything that is measured during a load test. */
export class Recorder {
  readonly rows: readonly RowRecorder[];
  readonly intervals: RecordedInterval[] = [];
  /** Right answers so far, those that are not counted in any row too. */
  successes = 0;
  readonly #second = new LatencyHistogram();
  readonly #soFar = new LatencyHistogram();
  #secondRequests = 0;
  #secondFailures = 0;
  #secondStartMs: number;
  readonly #startMs: number;

  constructor(rowCount: number, startMs: number) {
    this.rows = Array.from({ length: rowCount }, () => new RowRecorder());
    this.#startMs = startMs;
    this.#secondStartMs = startMs;
  }

  record(outcome: Outcome): void {
    this.#secondRequests += 1;
    if (outcome.failure === undefined) {
      this.successes += 1;
      this.#second.record(outcome.endMs - outcome.intendedMs);
    } else {
      this.#secondFailures += 1;
    }
    if (outcome.counted) {
      this.rows[outcome.row]?.record(outcome);
    }
  }

  /** Counts a request that the plan wanted and that was never sent. */
  recordUnsent(row: number): void {
    const recorder = this.rows[row];
    if (recorder) {
      recorder.unsent += 1;
    }
  }

  /** Ends the second under way and begins the next. */
  closeSecond(nowMs: number, users: number): Interval {
    this.#soFar.add(this.#second);
    const interval = {
      atS: (this.#secondStartMs - this.#startMs) / 1000,
      lengthS: (nowMs - this.#secondStartMs) / 1000,
      requests: this.#secondRequests,
      failures: this.#secondFailures,
      users,
      p50Ms: this.#second.percentileMs(50),
      p95Ms: this.#second.percentileMs(95),
      p99Ms: this.#second.percentileMs(99),
      history: {
        percentiles: this.#second.count > 0 ? percentCells(this.#second) : undefined,
        totals: timeCells(this.#soFar),
      },
    };
    this.intervals.push(interval);
    this.#second.reset();
    this.#secondRequests = 0;
    this.#secondFailures = 0;
    this.#secondStartMs = nowMs;
    return interval;
  }

  /** All rows together. */
  total(): RowRecorder {
    const total = new RowRecorder();
    for (const row of this.rows) {
      total.add(row);
    }
    return total;
  }
}
