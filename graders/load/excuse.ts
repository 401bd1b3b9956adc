import type { z } from 'zod';
import type { ThresholdResultSchema } from '../../src/domain/load-result.ts';

type ThresholdResult = z.infer<typeof ThresholdResultSchema>;

/** Others that take less of the service's CPUs than this are no excuse. */
const LEAST_INTERFERENCE = 0.1;
/** What a request may wait longer for each CPU that others took in full, ms: some turns of the scheduler. */
const WAIT_MS_PER_CPU = 200;

/**
 * Why limits that are multiples of the reference were missed through no fault of the service: others took so much of
 * its CPUs during the test that without them it may well have kept them. One sentence, or undefined. Limits that are
 * missed by more than that, and those in plain figures, stand. `kneeMs`: the latency that the search for the knee asked
 * for; where others alone may make a request wait so long, no rate could show it.
 */
export function excuseFor(
  thresholds: readonly ThresholdResult[],
  interference: number | null,
  kneeMs = Infinity,
): string | undefined {
  if (interference === null || interference < LEAST_INTERFERENCE) {
    return undefined;
  }
  const excused = thresholds.find((threshold) => isExplained(threshold, interference, kneeMs));
  return (
    excused &&
    `Other work took ${Math.round(interference * 100)} % of the service's CPU during the test, which may be why "${excused.that}" did not hold.`
  );
}

function isExplained({ that, ok, raw }: ThresholdResult, interference: number, kneeMs: number): boolean {
  if (ok || raw === undefined || raw.actual === null) {
    return false;
  }
  if (that.startsWith('knee') && interference * WAIT_MS_PER_CPU >= kneeMs) {
    return true;
  }
  return raw.unit === '/s'
    ? raw.actual >= raw.limit * (1 - interference) ** 2
    : raw.actual <= raw.limit + interference * WAIT_MS_PER_CPU;
}
