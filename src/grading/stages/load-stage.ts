import { loadPlanBudgetMs } from '../../domain/load-plan.ts';
import type { LoadPlan } from '../../domain/load-plan.ts';
import type { StagePlan } from './stage-plan.ts';

/** Plans the load stage: one grader, on CPUs of its own. */
export function planLoad(plan: LoadPlan, weight: number): StagePlan {
  return {
    name: 'load',
    weight,
    exclusive: true,
    checks: plan.thresholds.map(({ id, that, points, skill, visibility }) => ({
      id,
      name: that,
      suite: 'Load',
      maxPoints: points,
      skill,
      visibility,
    })),
    tasks: [{ grader: 'load', plan, deadlineMs: loadPlanBudgetMs(plan) }],
  };
}
