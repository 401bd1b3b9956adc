import type { z } from 'zod';
import { isFloor } from '../../src/domain/load-threshold.ts';
import type { Threshold } from '../../src/domain/load-threshold.ts';
import type { ThresholdResultSchema } from '../../src/domain/load-result.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { RowRecorder } from './recorder.ts';

type ThresholdResult = z.infer<typeof ThresholdResultSchema>;

/** A threshold with its measured value and one sentence, empty when it holds. */
export interface JudgedThreshold {
  result: ThresholdResult;
  message: string;
}

/**
 * Compares what was measured with a threshold. Latency is intended start to end of successful requests, so a
 * threshold on latency fails where nothing succeeded. `errors` counts unsent requests as well, `rps` counts
 * successful requests alone.
 */
export function judgeThreshold(
  that: string,
  threshold: Threshold,
  row: RowRecorder,
  countedSeconds: number,
): JudgedThreshold {
  const actual = measure(threshold, row, countedSeconds);
  const ok = actual !== null && holds(threshold, actual);
  const { limit, unit } = threshold;
  return {
    result: { that, ok, actual, limit, unit },
    message: ok ? '' : explain(threshold, actual),
  };
}

function measure({ metric }: Threshold, row: RowRecorder, countedSeconds: number): number | null {
  if (metric === 'errors') {
    return row.requests + row.unsent === 0 ? null : row.errorRatio;
  }
  if (metric === 'checks') {
    return row.answered === 0 ? null : row.successes / row.answered;
  }
  if (metric === 'rps') {
    return countedSeconds > 0 ? row.successes / countedSeconds : 0;
  }
  return row.latency.count === 0 ? null : latencyOf(metric, row.latency);
}

function latencyOf(
  metric: Exclude<Threshold['metric'], 'errors' | 'checks' | 'rps'>,
  latency: LatencyHistogram,
): number {
  const summary = latency.summary();
  return (metric === 'avg' ? summary?.mean : summary?.[metric]) ?? 0;
}

function holds({ operator, limit }: Threshold, actual: number): boolean {
  switch (operator) {
    case '<':
      return actual < limit;
    case '<=':
      return actual <= limit;
    case '>':
      return actual > limit;
    case '>=':
      return actual >= limit;
  }
}

function explain(threshold: Threshold, actual: number | null): string {
  const { metric, task, limit } = threshold;
  const of = task === undefined ? '' : ` of "${task}"`;
  if (actual === null) {
    return metric === 'checks' ? `no request${of} was answered` : `no request${of} succeeded`;
  }
  const name = task === undefined ? metric : `${metric}(${task})`;
  const verb = metric === 'errors' || metric === 'checks' ? 'were' : 'was';
  const bound = isFloor(metric) ? 'the least allowed' : 'the limit';
  // A value just past its limit must not read as the limit itself.
  const digits = show(threshold, actual, 3) === show(threshold, limit, 3) ? 6 : 3;
  return `${name} ${verb} ${show(threshold, actual, digits)}, ${bound} is ${show(threshold, limit, digits)}`;
}

function show({ unit }: Threshold, value: number, digits: number): string {
  switch (unit) {
    case 'ms':
      return `${significant(value, digits)} ms`;
    case 'ratio':
      return `${significant(value * 100, digits)} %`;
    case '/s':
      return `${significant(value, digits)}/s`;
  }
}

/** Three digits are what the histograms know; whole numbers above stay whole. */
function significant(value: number, digits: number): number {
  return value >= 100 && digits === 3 ? Math.round(value) : Number(value.toPrecision(digits));
}
