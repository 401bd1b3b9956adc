import { LoadPlanSchema, resolveLoadPlan } from '../domain/load-plan.ts';
import type { LoadPlan, ReferenceNeed } from '../domain/load-plan.ts';
import type { ReferenceFigures } from '../domain/load-result.ts';
import type { LoadResult } from '../domain/report.ts';

/** What is measured. */
export type Needed = Exclude<ReferenceNeed, 'nothing'>;

const BUSY_USERS = 16;
/** Until the service's own compiler is done. */
const WARM_UP = { warmUp: '800ms', users: BUSY_USERS };
/** Another warm-up, so that the latency is of the calm phase alone; its rate is told like that of any phase. */
const SATURATION = { warmUp: '2200ms', users: BUSY_USERS };
const SATURATION_PHASE = 1;
const CALM = { arrivalRate: '300/s', for: '1s' };

/** The same for every run: figures of one machine can be compared over time. */
const PLANS: Readonly<Record<Needed, LoadPlan>> = {
  latency: planOf([WARM_UP, CALM]),
  rate: planOf([WARM_UP, SATURATION, CALM]),
};

/** How the reference service is measured: no longer than for the figures that are needed. */
export function referencePlan(need: Needed): LoadPlan {
  return PLANS[need];
}

/** What the result of that plan says; undefined when it is no measurement. */
export function toFigures(
  need: Needed,
  { total, phases }: Pick<LoadResult, 'total' | 'phases'>,
): ReferenceFigures | undefined {
  if (!total.latency || total.failures > 0) {
    return undefined;
  }
  if (need === 'latency') {
    return { latency: total.latency };
  }
  const requestsPerSecond = phases[SATURATION_PHASE]?.rate ?? 0;
  return requestsPerSecond > 0 ? { latency: total.latency, requestsPerSecond } : undefined;
}

function planOf(shape: readonly object[]): LoadPlan {
  return resolveLoadPlan(
    'reference',
    LoadPlanSchema.parse({
      timeout: '5s',
      users: [{ name: 'User', tasks: [{ name: 'work', request: 'GET /work', expect: { status: 200 } }] }],
      shape,
      thresholds: [{ that: 'errors < 1%' }],
    }),
  );
}
