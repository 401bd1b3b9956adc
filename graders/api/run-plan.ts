import type { ApiPlan, ApiSuite, ApiTest } from '../../src/domain/api-suite.ts';
import type { Check, GraderEvent, GraderInput } from '../../src/domain/grader-protocol.ts';
import { formatMs } from '../../src/domain/units.ts';
import { answers } from './liveness.ts';
import { describeTest, runCheck } from './run-check.ts';
import { ServiceControl } from './service-control.ts';
import type { Control } from './service-control.ts';

/** The side of the protocol that running a plan needs. */
export interface Host {
  emit: (event: GraderEvent) => Promise<void>;
  control: Control;
}

interface Stage {
  input: GraderInput;
  plan: ApiPlan;
  service: ServiceControl;
  /** On the clock of `performance.now()`. */
  endsAt: number;
  /** Spent waiting for answers so far. */
  exchangeMs: number;
}

/** Kept free at the end of the stage to report what was not reached. */
const RESERVE_MS = 2000;
/** With less time left a check is not begun. */
const LEAST_CHECK_MS = 500;

/** Runs every check of a plan in order and emits it. Checks that cannot run any more are emitted at once. */
export async function runPlan(input: GraderInput, plan: ApiPlan, host: Host): Promise<void> {
  const stage: Stage = {
    input,
    plan,
    service: new ServiceControl(host.control, () => answers(input.target, plan.readyPath)),
    endsAt: performance.now() + input.deadlineMs - Math.min(RESERVE_MS, input.deadlineMs / 10),
    exchangeMs: 0,
  };
  const total = plan.suites.reduce((sum, suite) => sum + suite.tests.length, 0);
  let done = 0;
  for (const suite of plan.suites) {
    for (const test of suite.tests) {
      await host.emit({ event: 'progress', done, total, label: test.name });
      await host.emit({ event: 'check', check: await nextCheck(suite, test, stage) });
      done += 1;
    }
  }
  await host.emit({ event: 'progress', done, total, label: 'done' });
}

/** Runs one check, or says why it is not run. */
async function nextCheck(suite: ApiSuite, test: ApiTest, stage: Stage): Promise<Check> {
  const { input, plan, service } = stage;
  const restMs = stage.endsAt - performance.now();
  if (service.blocked !== undefined) {
    return notRun(suite, test, 'failed', `not run: the service is down: ${service.blocked}`);
  }
  if (restMs < LEAST_CHECK_MS) {
    return notReached(suite, test, input.deadlineMs, stage.exchangeMs + service.waitedMs);
  }
  const run = await runCheck(suite, test, {
    target: input.target,
    service,
    seed: input.seed,
    timeoutMs: Math.min(test.timeoutMs ?? plan.checkTimeoutMs, restMs),
    requestTimeoutMs: plan.requestTimeoutMs,
  });
  stage.exchangeMs += run.exchangeMs;
  return run.check;
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
