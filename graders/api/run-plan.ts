import type { ApiPlan, ApiSuite, ApiTest } from '../../src/domain/api-suite.ts';
import type { Check, GraderEvent, GraderInput } from '../../src/domain/grader-protocol.ts';
import { formatMs } from '../../src/domain/units.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import { emitArtifacts } from './artifacts.ts';
import { HarLog } from './har.ts';
import { answers } from './liveness.ts';
import { describeTest, runCheck } from './run-check.ts';
import type { CheckRun } from './run-check.ts';
import {
  hasTimeFor,
  judgeSecond,
  LEAST_CHECK_MS,
  secondPassBudgetMs,
  worthRepeating,
} from './second-pass.ts';
import type { FirstRun } from './second-pass.ts';
import { ServiceControl } from './service-control.ts';
import type { Control } from './service-control.ts';

/** The side of the protocol that running a plan needs. */
export interface Host {
  emit: (event: GraderEvent) => Promise<void>;
  control: Control;
}

/** How the checks of one pass are made. */
interface Pass {
  seed: string;
  headers: HeaderSet;
}

interface Stage {
  input: GraderInput;
  plan: ApiPlan;
  host: Host;
  service: ServiceControl;
  pass: Pass;
  har: HarLog;
  /** On the clock of `performance.now()`. */
  endsAt: number;
  /** Spent waiting for answers so far. */
  exchangeMs: number;
  /** The latest verdict on every check. */
  checks: Map<string, Check>;
}

/** Kept free at the end of the stage to report what was not reached. */
const RESERVE_MS = 2000;

/**
 * Runs every check of a plan in order and emits it; checks that cannot run any more are emitted at once. Then makes
 * those that passed again with other data, in another order and as another client, and emits anew those that hold
 * only the first time. Files at the end: the exchanges as HAR, the checks as JUnit XML.
 */
export async function runPlan(input: GraderInput, plan: ApiPlan, host: Host): Promise<void> {
  const stage: Stage = {
    input,
    plan,
    host,
    service: new ServiceControl(host.control, () =>
      answers(input.target, plan.readyPath, stage.pass.headers),
    ),
    pass: { seed: input.seed, headers: defaultHeaders(input.seed, 0) },
    har: new HarLog(),
    endsAt: performance.now() + input.deadlineMs - Math.min(RESERVE_MS, input.deadlineMs / 10),
    exchangeMs: 0,
    checks: new Map(),
  };
  const begin = performance.now();
  const first = await runFirstPass(stage);
  if (plan.secondPass) {
    await runSecondPass(first, secondPassBudgetMs(performance.now() - begin), stage);
  }
  await emitArtifacts(input.stage, [...stage.checks.values()], stage.har, host.emit);
}

async function runFirstPass(stage: Stage): Promise<FirstRun[]> {
  const { plan, host } = stage;
  const total = plan.suites.reduce((sum, suite) => sum + suite.tests.length, 0);
  const first: FirstRun[] = [];
  let done = 0;
  for (const suite of plan.suites) {
    for (const test of suite.tests) {
      await host.emit({ event: 'progress', done, total, label: test.name });
      const { check, run } = await nextCheck(suite, test, stage);
      await report(check, stage);
      if (run) {
        first.push({ suite, test, run });
      }
      done += 1;
    }
  }
  await host.emit({ event: 'progress', done, total, label: 'done' });
  return first;
}

async function runSecondPass(first: readonly FirstRun[], budgetMs: number, stage: Stage): Promise<void> {
  const { input, host, service } = stage;
  stage.pass = { seed: `${input.seed}/again`, headers: defaultHeaders(input.seed, 1) };
  const endsAt = performance.now() + budgetMs;
  const chosen = worthRepeating(first, stage.pass.seed);
  for (const [done, { suite, test, run }] of chosen.entries()) {
    const restMs = stage.endsAt - performance.now();
    if (service.blocked !== undefined) {
      return;
    }
    if (!hasTimeFor({ suite, test, run }, { passMs: endsAt - performance.now(), stageMs: restMs })) {
      continue;
    }
    const label = `again with other data: ${test.name}`.slice(0, 300);
    await host.emit({ event: 'progress', done, total: chosen.length, label });
    const second = await makeCheck(suite, test, restMs, stage);
    stage.har.add(
      { ...pageOf(second.check), id: `${test.id} (second pass)` },
      second.record,
      second.unrecorded,
    );
    const check = judgeSecond(run, second);
    if (check) {
      await report(check, stage);
    }
  }
}

async function report(check: Check, stage: Stage): Promise<void> {
  stage.checks.set(check.id, check);
  await stage.host.emit({ event: 'check', check });
}

/** Runs one check, or says why it is not run. */
async function nextCheck(
  suite: ApiSuite,
  test: ApiTest,
  stage: Stage,
): Promise<{ check: Check; run?: CheckRun }> {
  const { input, service } = stage;
  const restMs = stage.endsAt - performance.now();
  if (service.blocked !== undefined) {
    return { check: notRun(suite, test, 'failed', `not run: the service is down: ${service.blocked}`) };
  }
  if (restMs < LEAST_CHECK_MS) {
    return { check: notReached(suite, test, input.deadlineMs, stage.exchangeMs + service.waitedMs) };
  }
  const run = await makeCheck(suite, test, restMs, stage);
  stage.har.add(pageOf(run.check), run.record, run.unrecorded);
  return { check: run.check, run };
}

async function makeCheck(suite: ApiSuite, test: ApiTest, restMs: number, stage: Stage): Promise<CheckRun> {
  const { input, plan, service, pass } = stage;
  const run = await runCheck(suite, test, {
    target: input.target,
    service,
    seed: pass.seed,
    headers: pass.headers,
    timeoutMs: Math.min(test.timeoutMs ?? plan.checkTimeoutMs, restMs),
    requestTimeoutMs: plan.requestTimeoutMs,
  });
  stage.exchangeMs += run.exchangeMs;
  return run;
}

function pageOf({ id, name, status }: Check): { id: string; name: string; failed: boolean } {
  return { id, name, failed: status === 'failed' || status === 'errored' };
}

/** The time is over: the service's doing when most of it went into waiting for the service. */
function notReached(suite: ApiSuite, test: ApiTest, deadlineMs: number, serviceMs: number): Check {
  const stage = `the ${formatMs(deadlineMs)} of the stage`;
  if (serviceMs >= deadlineMs / 2) {
    return notRun(suite, test, 'failed', `not reached: the service used up ${stage}`);
  }
  return notRun(
    suite,
    test,
    'errored',
    `not reached: pauses of the suite and the grader's own work used up ${stage}`,
  );
}

function notRun(suite: ApiSuite, test: ApiTest, status: 'failed' | 'errored', message: string): Check {
  return { ...describeTest(suite, test), status, points: 0, message: message.slice(0, 2000), durationMs: 0 };
}
