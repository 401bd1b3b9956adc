import { appendedNames, capturedAnywhere } from '../../src/domain/api-suite-references.ts';
import type { ApiSuite, ApiTest } from '../../src/domain/api-suite.ts';
import type { Check, Evidence } from '../../src/domain/grader-protocol.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import { makePrng } from '../shared/prng.ts';
import { baseUrl } from './build-request.ts';
import { CheckBudget } from './check-budget.ts';
import type { CheckContext } from './check-context.ts';
import { ExchangeRecord } from './exchange-record.ts';
import type { RecordedExchange } from './exchange-record.ts';
import { CheckFailure } from './failures.ts';
import { fitEvidence } from './fit-evidence.ts';
import { makePool } from './http-client.ts';
import type { Address } from './http-client.ts';
import { matches } from './match.ts';
import { runSteps } from './run-step.ts';
import { SecretTexts } from './secrets.ts';
import type { ServiceControl } from './service-control.ts';
import { expandExpected, expandTyped, expandValue, setVariable } from './template.ts';
import type { Scope } from './template.ts';
import { Trail } from './trail.ts';

/** What checks need of the stage. */
export interface CheckSettings {
  target: Address;
  /** Where to connect instead, when something stands between; requests are the same. */
  via?: Address;
  service: ServiceControl;
  /** Of the stage; each check derives its own. */
  seed: string;
  /** Budget of this check, ms. */
  timeoutMs: number;
  requestTimeoutMs: number;
  /** Sent unless a request says otherwise. */
  headers: HeaderSet;
}

export interface CheckRun {
  check: Check;
  /** It failed because time was up, and for nothing else. */
  late: boolean;
  /** Time spent waiting for answers, ms. */
  exchangeMs: number;
  /** Its exchanges in order, without secrets. */
  record: readonly RecordedExchange[];
  /** How many more it made. */
  unrecorded: number;
}

type Judgement = Pick<Check, 'status' | 'message'> & { evidence?: Evidence; late?: true };

const MAX_MESSAGE_CHARS = 2000;
const TEARDOWN_MS = 10_000;

/**
 * Runs one test of a suite: setup, steps, teardown, and the service back up whatever happened to it. What the service
 * does wrong fails the check; what the suite or this grader does wrong makes it `errored`. Never rejects.
 */
export async function runCheck(suite: ApiSuite, test: ApiTest, settings: CheckSettings): Promise<CheckRun> {
  const begin = performance.now();
  const budget = new CheckBudget(settings.timeoutMs);
  const context: CheckContext = {
    ...settings,
    budget,
    pool: suite.keepAlive ? makePool() : undefined,
    width: 1,
    seed: `${settings.seed}/${test.id}`,
    record: new ExchangeRecord(),
    secrets: new SecretTexts(suite.secrets ?? []),
    seen: { connectionFailure: false, exchangeMs: 0 },
  };
  const judgement = await judgeCheck(suite, test, context);
  budget.close();
  context.pool?.destroy();
  const { evidence, late = false, ...verdict } = context.secrets.redact(judgement);
  return {
    check: {
      ...describeTest(suite, test),
      ...verdict,
      message: verdict.message.slice(0, MAX_MESSAGE_CHARS),
      points: verdict.status === 'passed' ? test.points : 0,
      durationMs: Math.round(performance.now() - begin),
      ...(evidence ? { evidence: fitEvidence(evidence) } : {}),
    },
    late,
    exchangeMs: context.seen.exchangeMs,
    record: context.secrets.redact(context.record.entries),
    unrecorded: context.record.left,
  };
}

/** The parts of a check's record that the suite decides. */
export function describeTest(
  suite: ApiSuite,
  test: ApiTest,
): Pick<Check, 'id' | 'name' | 'suite' | 'maxPoints' | 'skill' | 'visibility' | 'tags'> {
  const { id, name, points, skill, visibility, tags } = test;
  return { id, name, suite: suite.suite, maxPoints: points, skill, visibility, tags };
}

async function judgeCheck(suite: ApiSuite, test: ApiTest, context: CheckContext): Promise<Judgement> {
  const trail = new Trail();
  try {
    const scope = openScope(suite, test, context);
    const judgement = await runBody(suite, test, scope, trail, context);
    await runTeardown(suite, scope, context);
    return await withRecovery(judgement, context);
  } catch (error) {
    await context.service.restore().catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    return {
      status: 'errored',
      message: `the check could not be carried out: ${reason}`,
      evidence: { exchanges: trail.exchanges() },
    };
  }
}

async function runBody(
  suite: ApiSuite,
  test: ApiTest,
  scope: Scope,
  trail: Trail,
  context: CheckContext,
): Promise<Judgement> {
  try {
    await runSteps(suite.setup, 'setup', { scope, trail }, context);
    if (isSkipped(test.skipWhen, scope)) {
      return { status: 'skipped', message: 'The suite leaves this check out: its skipWhen holds.' };
    }
    await runSteps(test.steps, 'steps', { scope, trail }, context);
    return { status: 'passed', message: '' };
  } catch (error) {
    if (!(error instanceof CheckFailure)) {
      throw error;
    }
    return {
      status: 'failed',
      message: error.message,
      evidence: { ...error.detail, exchanges: trail.exchanges() },
      ...(error.late ? { late: true } : {}),
    };
  }
}

/** Teardown decides nothing, not even by breaking: what it needs may never have been captured. */
async function runTeardown(suite: ApiSuite, scope: Scope, context: CheckContext): Promise<void> {
  if (suite.teardown.length === 0) {
    return;
  }
  const budget = new CheckBudget(TEARDOWN_MS);
  try {
    await runSteps(suite.teardown, 'teardown', { scope, trail: new Trail() }, { ...context, budget });
  } catch {
    // Shown by the checks that need what was to be removed, if at all.
  } finally {
    budget.close();
  }
}

/**
 * Brings the service back up and puts what had become of it into the message. A check in which it ended fails, even
 * when its last answer still was as expected.
 */
async function withRecovery(judgement: Judgement, context: CheckContext): Promise<Judgement> {
  const { service, seen } = context;
  await service.restore();
  if (!seen.connectionFailure && (await service.isUp())) {
    return judgement;
  }
  const { note } = await service.recover();
  if (note === undefined) {
    return judgement;
  }
  const end = `During this check the service ended: ${note}`;
  const { late: _ended, ...rest } = judgement;
  return {
    ...rest,
    status: 'failed',
    message: judgement.message === '' ? end : `${judgement.message}. ${end}`,
  };
}

function openScope(suite: ApiSuite, test: ApiTest, context: CheckContext): Scope {
  const steps = [...suite.setup, ...test.steps];
  const scope: Scope = {
    variables: new Map([['target', baseUrl(context.target)]]),
    parent: undefined,
    prng: makePrng(context.seed),
    index: undefined,
    captured: new Set(steps.flatMap(capturedAnywhere)),
    onSet: (name, value) => context.secrets.learn(name, value),
  };
  for (const [name, value] of Object.entries(suite.vars)) {
    setVariable(scope, name, expandValue(value, scope));
  }
  // A list that nothing is appended to is empty.
  for (const name of appendedNames(steps).filter((one) => !scope.variables.has(one))) {
    setVariable(scope, name, []);
  }
  return scope;
}

function isSkipped(conditions: Record<string, JsonValue> | undefined, scope: Scope): boolean {
  return (
    conditions !== undefined &&
    Object.entries(conditions).every(([expression, expected]) =>
      matches(expandExpected(expected, scope), expandTyped(expression, scope)),
    )
  );
}
