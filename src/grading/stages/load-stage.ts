import type { Challenge } from '../../domain/challenge.ts';
import { loadPlanBudgetMs, needsTurns, referenceNeed } from '../../domain/load-plan.ts';
import type { LoadPlan } from '../../domain/load-plan.ts';
import { locustBudgetMs } from '../../domain/locust-plan.ts';
import type { GraderTask, StagePlan } from './stage-plan.ts';

/** Plans the load stage with our own generator: one grader, on CPUs of its own. */
export function planLoad(plan: LoadPlan, weight: number): StagePlan {
  const calibrate = { reference: referenceNeed(plan), turns: needsTurns(plan) };
  return stageOf(plan, weight, { grader: 'load', plan, deadlineMs: loadPlanBudgetMs(plan), calibrate });
}

/** Plans the load stage with Locust; the locustfile and what it needs go with it. */
export function planLocust({ plan, files }: NonNullable<Challenge['locust']>, weight: number): StagePlan {
  return stageOf(plan, weight, { grader: 'locust', plan, files, deadlineMs: locustBudgetMs(plan) });
}

function stageOf({ thresholds }: Pick<LoadPlan, 'thresholds'>, weight: number, task: GraderTask): StagePlan {
  return {
    name: 'load',
    weight,
    exclusive: true,
    checks: thresholds.map(({ id, that, points, skill, visibility }) => ({
      id,
      name: that,
      suite: 'Load',
      maxPoints: points,
      skill,
      visibility,
    })),
    tasks: [task],
  };
}
