import type { LatencyHistogram } from './latency-histogram.ts';

/** Locust's percentiles, in its order. */
export const CSV_PERCENTS = [50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100];

/** Median, average, least and most, ms. */
export function timeCells(times: LatencyHistogram): number[] {
  const { p50 = 0, mean = 0, min = 0, max = 0 } = times.summary() ?? {};
  return [p50, mean, min, max];
}

/** The time at each of Locust's percentiles, ms. */
export function percentCells(times: LatencyHistogram): number[] {
  return CSV_PERCENTS.map((percent) => Math.round(times.percentileMs(percent) * 1000) / 1000);
}
