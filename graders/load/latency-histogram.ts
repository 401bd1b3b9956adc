import { build } from 'hdr-histogram-js';
import type { Latency } from '../../src/domain/load-result.ts';

/** An hour; anything slower was ended by a timeout long before. */
const HIGHEST_MICROSECONDS = 3_600_000_000;

/** Times in ms, kept in microseconds with three significant digits; least, most and mean are exact. */
export class LatencyHistogram {
  readonly #histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_MICROSECONDS,
    numberOfSignificantValueDigits: 3,
    autoResize: true,
  });
  #count = 0;
  #sumMs = 0;
  #minMs = Infinity;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  record(ms: number): void {
    const time = ms > 0 ? ms : 0;
    this.#histogram.recordValue(Math.min(HIGHEST_MICROSECONDS, Math.round(time * 1000)));
    this.#count += 1;
    this.#sumMs += time;
    this.#minMs = Math.min(this.#minMs, time);
    this.#maxMs = Math.max(this.#maxMs, time);
  }

  /** Adds everything that another histogram holds. */
  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#minMs = Math.min(this.#minMs, other.#minMs);
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  reset(): void {
    this.#histogram.reset();
    this.#count = 0;
    this.#sumMs = 0;
    this.#minMs = Infinity;
    this.#maxMs = 0;
  }

  /** The time that `percent` of all lie at or below, ms; 0 when there are none. Never above the exact maximum. */
  percentileMs(percent: number): number {
    return this.#count === 0
      ? 0
      : Math.min(this.#maxMs, this.#histogram.getValueAtPercentile(percent) / 1000);
  }

  /** All figures, ms rounded to microseconds, or null when nothing was recorded. */
  summary(): Latency | null {
    if (this.#count === 0) {
      return null;
    }
    return {
      count: this.#count,
      min: toMicroseconds(this.#minMs),
      mean: toMicroseconds(this.#sumMs / this.#count),
      p50: toMicroseconds(this.percentileMs(50)),
      p90: toMicroseconds(this.percentileMs(90)),
      p95: toMicroseconds(this.percentileMs(95)),
      p99: toMicroseconds(this.percentileMs(99)),
      max: toMicroseconds(this.#maxMs),
    };
  }
}

function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
