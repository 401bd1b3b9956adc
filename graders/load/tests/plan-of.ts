import { LoadPlanSchema, resolveLoadPlan } from '../../../src/domain/load-plan.ts';
import type { LoadPlan } from '../../../src/domain/load-plan.ts';

/** A plan from what its author would write, through JSON as the host sends it. */
export function planOf(file: Record<string, unknown>): LoadPlan {
  const defaults = { thresholds: [{ that: 'errors < 1%' }], shape: [{ users: 1, for: '1s' }] };
  const plan = resolveLoadPlan('hidden/load.yaml', LoadPlanSchema.parse({ ...defaults, ...file }));
  return JSON.parse(JSON.stringify(plan)) as LoadPlan;
}

/** The first task of a plan with this one task. */
export function taskOf(task: Record<string, unknown>, onStart: Record<string, unknown>[] = []) {
  const [user] = planOf({ users: [{ name: 'U', onStart, tasks: [{ name: 'task', ...task }] }] }).users;
  const [first] = user?.tasks[0]?.steps ?? [];
  if (!first) {
    throw new Error('a plan has a task');
  }
  return first;
}
