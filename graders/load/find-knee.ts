import type { Knee, KneeStep } from '../../src/domain/load-result.ts';
import type { KneePhase } from '../../src/domain/load-shape.ts';
import { KneeSearch } from './knee-search.ts';
import type { KneeEstimate } from './knee-search.ts';
import { Pace } from './pace.ts';
import type { TakeTurn } from './pace.ts';

/** Of the time of a step, as long as no rate has failed. */
const SHORT_STEP = 0.5;
/** Fewer tell nothing of a percentile. */
const LEAST_ARRIVALS = 20;

/**
 * Measures rates until the knee is known well enough or the time of the phase does not suffice for another. With
 * `takeTurn` the reference service is measured between two rates, in time of its own: the search goes by rates at one
 * speed of the machine, and what is tried is as much more or less as the reference reaches more or less just then.
 */
export async function findKnee(
  phase: KneePhase,
  probe: (rate: number, durationMs: number) => Promise<KneeStep>,
  takeTurn?: TakeTurn,
): Promise<Knee> {
  const search = new KneeSearch(phase.fromPerSecond, phase.toPerSecond);
  const pace = new Pace(takeTurn);
  const startMs = performance.now();
  const steps: KneeStep[] = [];
  await pace.begin();
  for (let wanted = search.next(); wanted !== undefined; wanted = search.next()) {
    const rate = Math.min(phase.toPerSecond, wanted * pace.speed);
    const isTop = rate === phase.toPerSecond;
    const durationMs = search.isClimbing && !isTop ? shortStepMs(phase, rate) : phase.stepMs;
    // The budget of a plan has as much time again for the turns.
    const turnsMs = Math.min(pace.turnsMs, phase.durationMs);
    if (performance.now() - startMs - turnsMs + durationMs > phase.durationMs) {
      break;
    }
    const step = await probe(rate, durationMs);
    const { speed, ...around } = await pace.end();
    steps.push({ ...step, ...around });
    search.record(step.ok, rate / speed, isTop);
  }
  const { speed, reference } = pace.mean();
  return {
    objective: phase.objective.text,
    ...atSpeed(search.estimate(), speed),
    ...(reference !== undefined && { reference: rounded(reference) }),
    steps,
  };
}

/** The highest rate that may be tried is a rate whatever the speed. */
function atSpeed(estimate: KneeEstimate, speed: number): KneeEstimate {
  const times = estimate.outcome === 'above' ? 1 : speed;
  return {
    ...estimate,
    rate: rounded(estimate.rate * times),
    low: rounded(estimate.low * times),
    high: rounded(estimate.high * times),
  };
}

/** What is saved on the way up is there for the rates about the knee. */
function shortStepMs({ stepMs }: KneePhase, rate: number): number {
  return Math.min(stepMs, Math.max(stepMs * SHORT_STEP, (1000 * LEAST_ARRIVALS) / rate));
}

function rounded(rate: number): number {
  return Math.round(rate * 100) / 100;
}
