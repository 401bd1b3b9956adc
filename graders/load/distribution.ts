import type { LoadResult } from '../../src/domain/report.ts';
import type { RowRecorder } from './recorder.ts';

const PERCENTS = [0, 10, 25, 50, 66, 75, 80, 90, 95, 98, 99, 99.5, 99.9, 99.95, 99.99, 100];

/** Both latencies by percentile, up to the last percentile that so many requests can tell. */
export function distributionOf({ latency, serviceTime }: RowRecorder): LoadResult['distribution'] {
  return PERCENTS.filter((percent) => percent === 100 || latency.count * (1 - percent / 100) >= 1 - 1e-9).map(
    (percent) => ({
      percent,
      waited: rounded(latency.percentileMs(percent)),
      served: rounded(serviceTime.percentileMs(percent)),
    }),
  );
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
