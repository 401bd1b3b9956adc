import type { Knee, Latency, Reference, Relative } from '../../src/domain/load-result.ts';
import type { LoadTask } from '../../src/domain/report.ts';
import type { RowRecorder } from './recorder.ts';

/** Figures of the service as multiples of the reference's. */
export function toRelative(
  reference: Reference,
  knee: Knee | undefined,
  total: RowRecorder,
  tasks: readonly LoadTask[],
): Relative {
  function times(latency: Latency | null): Relative['total'] {
    return (
      latency && {
        p50: ratio(latency.p50, reference.latency.p50),
        p95: ratio(latency.p95, reference.latency.p95),
        p99: ratio(latency.p99, reference.latency.p99),
      }
    );
  }
  return {
    knee: knee?.reference === undefined ? null : ratio(knee.rate, knee.reference),
    total: times(total.latency.summary()),
    tasks: tasks.map(({ name, latency }) => ({ name, latency: times(latency) })),
  };
}

function ratio(value: number, one: number): number {
  return Math.round((1000 * value) / one) / 1000;
}
