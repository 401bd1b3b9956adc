import type { ApiPlan, ApiSuite } from '../../domain/api-suite.ts';
import type { Challenge } from '../../domain/challenge.ts';
import type { CodePlan } from '../../domain/code-suite.ts';
import type { PlannedCheck } from '../../report/run-facts.ts';
import type { GraderTask, StagePlan } from './stage-plan.ts';

const CHECK_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 10_000;

/** Plans a stage of YAML suites. They share one service, but for those that ask for a fresh one. */
export function planSuites(
  name: string,
  weight: number,
  suites: readonly ApiSuite[],
  service: Challenge['file']['service'],
): StagePlan {
  const yaml = suites.filter((suite) => suite.code === undefined);
  const shared = yaml.filter((suite) => !suite.fresh);
  const groups = [
    ...(shared.length > 0 ? [shared] : []),
    ...yaml.filter((suite) => suite.fresh).map((suite) => [suite]),
  ];
  return {
    name,
    weight,
    exclusive: false,
    checks: suites.flatMap((suite) => suite.tests.map((test) => plannedTest(suite, test))),
    tasks: [
      ...groups.map((group) => ({
        grader: 'api',
        plan: apiPlan(group, service.ready.path, name === 'api'),
        deadlineMs: service.limits.wall,
      })),
      ...suites.flatMap((suite) => codeTask(suite, service)),
    ],
  };
}

/** A file of tests runs in a grader of its own, against a service of its own. */
function codeTask(suite: ApiSuite, service: Challenge['file']['service']): GraderTask[] {
  if (!suite.code) {
    return [];
  }
  const plan: CodePlan = {
    file: suite.code.file,
    suite: suite.suite,
    readyPath: service.ready.path,
    checks: suite.tests.map(({ id, name, points, skill, visibility, tags }) => ({
      id,
      name,
      points,
      skill,
      visibility,
      tags,
    })),
    listed: suite.code.titles,
  };
  return [{ grader: 'code', plan, files: suite.code.files, deadlineMs: service.limits.wall }];
}

/** What other stages of suites look at, such as restarts, other data and headers say nothing about. */
function apiPlan(suites: ApiSuite[], readyPath: string, secondPass: boolean): ApiPlan {
  return {
    suites,
    readyPath,
    secondPass,
    checkTimeoutMs: CHECK_TIMEOUT_MS,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
  };
}

function plannedTest(suite: ApiSuite, test: ApiSuite['tests'][number]): PlannedCheck {
  const { id, name, points, skill, visibility } = test;
  return { id, name, suite: suite.suite, maxPoints: points, skill, visibility };
}
