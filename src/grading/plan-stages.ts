import { visibleSuites } from '../challenges/load-challenge.ts';
import type { Challenge } from '../domain/challenge.ts';
import { AssayError } from '../domain/errors.ts';
import { planContract } from './stages/contract-stage.ts';
import { planCustom } from './stages/custom-stage.ts';
import { planLoad, planLocust } from './stages/load-stage.ts';
import type { StagePlan } from './stages/stage-plan.ts';
import { planSuites } from './stages/suites-stage.ts';

export interface StageSelection {
  /** Only these; all of the challenge when undefined. */
  stages?: readonly string[];
  /** Only what a candidate may see. */
  visibleOnly: boolean;
}

/** Plans one stage of a challenge, or undefined where it has none or nothing of it may be shown. */
type Planner = (challenge: Challenge, visibleOnly: boolean) => StagePlan | undefined;

/** One a stage, in the order in which they run. */
const PLANNERS: readonly Planner[] = [
  planApi,
  planContractTest,
  planResilience,
  planOwnGraders,
  planLoadTest,
];

/**
 * Plans the stages of a run in order. Throws AssayError `NO_STAGE` when the selection names a stage that the
 * challenge does not have, or leaves nothing to run.
 */
export function planStages(challenge: Challenge, selection: StageSelection): StagePlan[] {
  const plans = PLANNERS.flatMap((plan) => plan(challenge, selection.visibleOnly) ?? []);
  const unknown = (selection.stages ?? []).filter((name) => !plans.some((plan) => plan.name === name));
  const chosen = plans.filter((plan) => selection.stages?.includes(plan.name) ?? true);
  if (unknown.length > 0 || chosen.length === 0) {
    const has = plans.map((plan) => plan.name).join(', ') || 'none that a candidate may see';
    const what = unknown.join(', ') || 'nothing is selected';
    const mend = `Stages of this challenge: ${has}.`;
    throw new AssayError('NO_STAGE', 'spec', `There is no stage to run: ${what}.`, { mend });
  }
  return chosen;
}

function planApi(challenge: Challenge, visibleOnly: boolean): StagePlan | undefined {
  const { stages, service } = challenge.file;
  const suites = visibleOnly ? visibleSuites(challenge.suites) : challenge.suites;
  return stages.api && suites.length > 0 ? planSuites('api', stages.api.weight, suites, service) : undefined;
}

function planContractTest({ file, contract }: Challenge, visibleOnly: boolean): StagePlan | undefined {
  const { stages, service } = file;
  return stages.contract && contract && !visibleOnly
    ? planContract(contract, stages.contract.weight, service.limits.wall)
    : undefined;
}

function planResilience(challenge: Challenge, visibleOnly: boolean): StagePlan | undefined {
  const { stages, service } = challenge.file;
  const suites = visibleOnly ? visibleSuites(challenge.resilience) : challenge.resilience;
  return stages.resilience && suites.length > 0
    ? planSuites('resilience', stages.resilience.weight, suites, service)
    : undefined;
}

function planOwnGraders({ file, custom }: Challenge, visibleOnly: boolean): StagePlan | undefined {
  const weight = file.stages.custom?.weight;
  return custom && weight !== undefined && !visibleOnly ? planCustom(custom, weight) : undefined;
}

function planLoadTest({ file, load, locust }: Challenge, visibleOnly: boolean): StagePlan | undefined {
  const weight = file.stages.load?.weight;
  if (weight === undefined || visibleOnly) {
    return undefined;
  }
  return (load && planLoad(load, weight)) ?? (locust && planLocust(locust, weight));
}
