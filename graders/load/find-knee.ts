import type { Knee, KneeStep } from '../../src/domain/load-result.ts';
import type { KneePhase } from '../../src/domain/load-shape.ts';
import { KneeSearch } from './knee-search.ts';

/** Measures rates until the knee is known well enough or the time of the phase does not suffice for another. */
export async function findKnee(phase: KneePhase, probe: (rate: number) => Promise<KneeStep>): Promise<Knee> {
  const search = new KneeSearch(phase.fromPerSecond, phase.toPerSecond);
  const endMs = performance.now() + phase.durationMs;
  const steps: KneeStep[] = [];
  for (let rate = search.next(); rate !== undefined; rate = search.next()) {
    if (performance.now() + phase.stepMs > endMs) {
      break;
    }
    const step = await probe(rate);
    steps.push(step);
    search.record(step.ok);
  }
  const { rate, low, high, ...rest } = search.estimate();
  return {
    objective: phase.objective.text,
    ...rest,
    rate: rounded(rate),
    low: rounded(low),
    high: rounded(high),
    steps,
  };
}

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
