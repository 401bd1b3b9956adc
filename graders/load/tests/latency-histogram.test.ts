import { describe, expect, test } from 'vitest';
import { makePrng } from '../../shared/prng.ts';
import { LatencyHistogram } from '../latency-histogram.ts';

/** Times spread over five decades, with a long tail. */
function spreadTimes(count: number): number[] {
  const prng = makePrng('times');
  return Array.from({ length: count }, () => 0.05 * 10 ** (5 * prng.next() ** 2));
}

function exactPercentile(sorted: readonly number[], percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent * sorted.length) / 100) - 1)] ?? 0;
}

describe('the latency histogram', () => {
  test('is within a tenth of a per cent of the exact percentiles', () => {
    const times = spreadTimes(20_000);
    const histogram = new LatencyHistogram();
    for (const time of times) {
      histogram.record(time);
    }
    const sorted = times.toSorted((a, b) => a - b);
    for (const percent of [1, 10, 50, 90, 95, 99, 99.9]) {
      const exact = exactPercentile(sorted, percent);
      // One microsecond is the unit; below it nothing can be told apart.
      expect(Math.abs(histogram.percentileMs(percent) - exact)).toBeLessThanOrEqual(exact * 0.001 + 0.001);
    }
  });

  test('has the exact least, most and mean', () => {
    const times = spreadTimes(5000);
    const histogram = new LatencyHistogram();
    for (const time of times) {
      histogram.record(time);
    }
    const summary = histogram.summary();
    expect(summary?.count).toBe(5000);
    expect(summary?.min).toBeCloseTo(Math.min(...times), 3);
    expect(summary?.max).toBeCloseTo(Math.max(...times), 2);
    expect(summary?.mean).toBeCloseTo(times.reduce((sum, time) => sum + time, 0) / times.length, 2);
    expect(summary?.p99).toBeLessThanOrEqual(summary?.max ?? 0);
  });

  test('adds up to what one histogram would hold', () => {
    const [all, first, second] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
    for (const [index, time] of spreadTimes(4000).entries()) {
      all.record(time);
      (index % 3 === 0 ? first : second).record(time);
    }
    first.add(second);
    const { mean, ...rest } = first.summary() ?? { mean: 0 };
    expect(all.summary()).toMatchObject(rest);
    expect(mean).toBeCloseTo(all.summary()?.mean ?? 0, 2);
  });

  test('has no figures when nothing was recorded, and none left after a reset', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.summary()).toBeNull();
    histogram.record(5);
    histogram.reset();
    expect(histogram.summary()).toBeNull();
    histogram.record(1);
    expect(histogram.summary()).toMatchObject({ count: 1, min: 1, max: 1, p50: 1 });
  });

  test('bears a clock that went nowhere and a time beyond its range', () => {
    const histogram = new LatencyHistogram();
    histogram.record(-0.001);
    histogram.record(10_000_000);
    expect(histogram.summary()).toMatchObject({ min: 0, max: 10_000_000 });
  });
});
