import type { ApiPlan, ApiSuite } from '../domain/api-suite.ts';
import type { Challenge } from '../domain/challenge.ts';
import { AssayError } from '../domain/errors.ts';
import { loadPlanBudgetMs } from '../domain/load-plan.ts';
import type { LoadPlan } from '../domain/load-plan.ts';
import type { PlannedCheck, PlannedStage } from '../report/run-facts.ts';

export const STAGE_NAMES = ['api', 'load'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** What one grader container is told to do against one life of the service. */
export interface GraderTask {
  grader: string;
  plan: unknown;
  deadlineMs: number;
}

/** A stage with everything decided. Its tasks run one after another, each on a new service with empty data. */
export interface StagePlan extends PlannedStage {
  name: StageName;
  tasks: GraderTask[];
  /** The service and the generator get CPUs of their own where the host has more than one. */
  exclusive: boolean;
}

export interface StageSelection {
  /** Only these; all of the challenge when undefined. */
  stages?: readonly string[];
  /** Only what a candidate may see. */
  visibleOnly: boolean;
}

const CHECK_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Plans the stages of a run in order. Throws AssayError `NO_STAGE` when the selection names a stage that the
 * challenge does not have, or leaves nothing to run.
 */
export function planStages(challenge: Challenge, selection: StageSelection): StagePlan[] {
  const { api, load } = challenge.file.stages;
  const suites = selection.visibleOnly ? onlyVisible(challenge.suites) : challenge.suites;
  const { service } = challenge.file;
  const plans: StagePlan[] = [];
  if (api && suites.length > 0) {
    plans.push(planApi(suites, api.weight, service));
  }
  if (load && challenge.load && !selection.visibleOnly) {
    plans.push(planLoad(challenge.load, load.weight));
  }
  const unknown = (selection.stages ?? []).filter((name) => !plans.some((plan) => plan.name === name));
  const chosen = plans.filter((plan) => selection.stages?.includes(plan.name) ?? true);
  if (unknown.length > 0 || chosen.length === 0) {
    const has = plans.map((plan) => plan.name).join(', ') || 'none that a candidate may see';
    throw new AssayError(
      'NO_STAGE',
      'spec',
      `There is no stage to run: ${unknown.join(', ') || 'nothing is selected'}.`,
      {
        mend: `Stages of this challenge: ${has}.`,
      },
    );
  }
  return chosen;
}

function onlyVisible(suites: readonly ApiSuite[]): ApiSuite[] {
  return suites
    .map((suite) => ({ ...suite, tests: suite.tests.filter((test) => test.visibility === 'visible') }))
    .filter((suite) => suite.tests.length > 0);
}

/** Suites share one service, but for those that ask for a fresh one. */
function planApi(
  suites: readonly ApiSuite[],
  weight: number,
  service: Challenge['file']['service'],
): StagePlan {
  const shared = suites.filter((suite) => !suite.fresh);
  const groups = [
    ...(shared.length > 0 ? [shared] : []),
    ...suites.filter((suite) => suite.fresh).map((suite) => [suite]),
  ];
  return {
    name: 'api',
    weight,
    exclusive: false,
    checks: suites.flatMap((suite) => suite.tests.map((test) => plannedTest(suite, test))),
    tasks: groups.map((group) => ({
      grader: 'api',
      plan: apiPlan(group, service.ready.path),
      deadlineMs: service.limits.wall,
    })),
  };
}

function apiPlan(suites: ApiSuite[], readyPath: string): ApiPlan {
  return { suites, readyPath, checkTimeoutMs: CHECK_TIMEOUT_MS, requestTimeoutMs: REQUEST_TIMEOUT_MS };
}

function plannedTest(suite: ApiSuite, test: ApiSuite['tests'][number]): PlannedCheck {
  const { id, name, points, skill, visibility } = test;
  return { id, name, suite: suite.suite, maxPoints: points, skill, visibility };
}

function planLoad(plan: LoadPlan, weight: number): StagePlan {
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
