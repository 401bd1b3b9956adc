import type { ApiSuite, ApiTest } from '../../src/domain/api-suite.ts';
import type { Step } from '../../src/domain/api-suite-step.ts';
import { SECOND_PASS_TAG } from '../../src/domain/grader-protocol.ts';
import type { Check, Exchange } from '../../src/domain/grader-protocol.ts';
import { makePrng } from '../shared/prng.ts';
import { actsOnService, anyStep } from './any-step.ts';
import { fitEvidence } from './fit-evidence.ts';
import type { CheckRun } from './run-check.ts';

/** A check of the first pass, with what came of it. */
export interface FirstRun {
  suite: ApiSuite;
  test: ApiTest;
  run: CheckRun;
}

/** Those that took longer come after the others, while time is left. */
const QUICK_MS = 1500;
/** With less time left a check is not begun. */
export const LEAST_CHECK_MS = 500;
/** Share of the first pass's time that the second may take, and the least it may. */
const SHARE = 0.3;
const LEAST_MS = 1000;

/** How long the second pass may take after a first one of `firstMs`. */
export function secondPassBudgetMs(firstMs: number): number {
  return Math.max(LEAST_MS, firstMs * SHARE);
}

/**
 * The checks to make again, in an order of their own, the quick ones first: those that passed and leave the service's
 * process alone.
 */
export function worthRepeating(first: readonly FirstRun[], seed: string): FirstRun[] {
  const chosen = first.filter(
    ({ suite, test, run }) =>
      run.check.status === 'passed' &&
      test.secondPass !== false &&
      !anyStep([...suite.setup, ...test.steps, ...suite.teardown], isAboutProcess),
  );
  const order = shuffled(chosen, seed);
  return [...order.filter(isQuick), ...order.filter((one) => !isQuick(one))];
}

/** Whether there is time for it: in the pass, and in the stage for twice what it took, so that no clock decides it. */
export function hasTimeFor(one: FirstRun, left: { passMs: number; stageMs: number }): boolean {
  const { durationMs } = one.run.check;
  return (
    left.passMs > (isQuick(one) ? 0 : durationMs) && left.stageMs > Math.max(LEAST_CHECK_MS, 2 * durationMs)
  );
}

function isQuick({ run }: FirstRun): boolean {
  return run.check.durationMs <= QUICK_MS;
}

function isAboutProcess(step: Step): boolean {
  return actsOnService(step) || 'over' in step;
}

/**
 * The verdict on a check that passed first and was made again, or undefined when the second time says nothing
 * against it. Slowness does not count: it is no property of the data, and the first pass has judged it.
 */
export function judgeSecond(first: CheckRun, second: CheckRun): Check | undefined {
  const { check } = second;
  if (check.status !== 'failed' || second.late || check.evidence?.at?.endsWith('.within') === true) {
    return undefined;
  }
  const failing = check.evidence?.exchanges?.at(-1);
  const before = counterpart(first, second);
  const exchanges = [
    ...(before ? [labelled('first pass', before)] : []),
    ...(failing ? [labelled('second pass', failing)] : []),
  ];
  const message = `held at first, but not again with other data, order and default headers: ${check.message}`;
  return {
    ...check,
    message: message.slice(0, 2000),
    tags: [...(check.tags ?? []), SECOND_PASS_TAG],
    durationMs: first.check.durationMs + check.durationMs,
    evidence: fitEvidence({ ...check.evidence, exchanges }),
  };
}

/** The exchange of the first pass that stands where the second pass failed. */
function counterpart(first: CheckRun, second: CheckRun): Exchange | undefined {
  const failedAt = second.record.at(-1)?.at;
  const same = first.record.filter(({ at }) => at === failedAt);
  return (same.at(-1) ?? first.record.at(-1))?.exchange;
}

function labelled(pass: string, exchange: Exchange): Exchange {
  const label = exchange.label ?? exchange.request.method;
  return { ...exchange, label: `${pass}: ${label}` };
}

function shuffled<T>(items: readonly T[], seed: string): T[] {
  const prng = makePrng(`${seed}/order`);
  const order = [...items];
  for (let last = order.length - 1; last > 0; last -= 1) {
    const other = prng.int(0, last);
    [order[last], order[other]] = [order[other] as T, order[last] as T];
  }
  return order;
}
