import { referenceNeed } from '../../src/domain/load-plan.ts';
import type { LoadPlan } from '../../src/domain/load-plan.ts';
import type { Latency, Reference, ReferenceFigures } from '../../src/domain/load-result.ts';
import type { LoadResult } from '../../src/domain/report.ts';

/**
 * Whether it is worth some seconds to measure the reference once more after the test: a rate is steadier as the mean
 * of two, and a limit that was missed is the service's doing only where the machine kept its speed. The search for the
 * knee knows that already: it is measured in turns with the reference.
 */
export function asksAgain(
  plan: Pick<LoadPlan, 'thresholds' | 'shape'>,
  thresholds: LoadResult['thresholds'],
): boolean {
  return (
    referenceNeed(plan) === 'rate' ||
    thresholds.some(
      ({ that, ok, unit, actual }) => unit === 'x' && !ok && actual !== null && !that.startsWith('knee'),
    )
  );
}

/**
 * What figures are compared with. Limits are multiples, so the mean is the geometric one, of rates and latencies alike:
 * it lies as many times above the one measurement as below the other.
 */
export function toReference(before: ReferenceFigures, after: ReferenceFigures): Reference {
  const [rateBefore, rateAfter] = [before.requestsPerSecond, after.requestsPerSecond];
  return {
    latency: meanLatency(before.latency, after.latency),
    ...(rateBefore !== undefined &&
      rateAfter !== undefined && { requestsPerSecond: mean(rateBefore, rateAfter) }),
    before,
    after,
  };
}

function meanLatency(one: Latency, other: Latency): Latency {
  return {
    count: one.count + other.count,
    min: mean(one.min, other.min),
    mean: mean(one.mean, other.mean),
    p50: mean(one.p50, other.p50),
    p90: mean(one.p90, other.p90),
    p95: mean(one.p95, other.p95),
    p99: mean(one.p99, other.p99),
    max: mean(one.max, other.max),
  };
}

function mean(one: number, other: number): number {
  return Math.round(1000 * Math.sqrt(one * other)) / 1000;
}
