import type { ContractPlan } from '../../domain/contract-plan.ts';
import type { StagePlan } from './stage-plan.ts';

/** Plans the contract stage: requests derived from the OpenAPI document, against one service. */
export function planContract(plan: ContractPlan, weight: number, deadlineMs: number): StagePlan {
  return {
    name: 'contract',
    weight,
    exclusive: false,
    checks: plan.checks.map(({ id, name, suite, maxPoints, skill, visibility }) => ({
      id,
      name,
      suite,
      maxPoints,
      skill,
      visibility,
    })),
    tasks: [{ grader: 'contract', plan, deadlineMs }],
  };
}
