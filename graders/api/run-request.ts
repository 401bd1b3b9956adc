import type { RequestStep } from '../../src/domain/api-suite-step.ts';
import { formatMs } from '../../src/domain/units.ts';
import { makePrng } from '../shared/prng.ts';
import { baseUrl, buildRequest } from './build-request.ts';
import { keepCaptures, readCaptures } from './capture.ts';
import type { Captured } from './capture.ts';
import type { CheckContext, StepPlace } from './check-context.ts';
import { CheckFailure } from './failures.ts';
import { connect, exchange } from './http-client.ts';
import type { Connection } from './http-client.ts';
import { isConnectionFailure } from './http-types.ts';
import type { HttpLimits, HttpOutcome, HttpRequest } from './http-types.ts';
import { judgeResponse } from './judge-response.ts';
import { judgeTally } from './tally.ts';
import { innerScope } from './template.ts';
import type { Scope } from './template.ts';
import { runWithin } from './time-limit.ts';
import { MAX_FAILING, toExchange } from './trail.ts';

const CONNECT_TIMEOUT_MS = 5000;
const DEFAULT_MAX_BODY_BYTES = 1024 * 1024;
/** Bodies of all exchanges that run at once, where the suite sets no limit of its own. */
const MAX_BODIES_BYTES = 64 * 1024 * 1024;
/** For one answer: patterns, schemas and paths over what the service sent. */
const JUDGE_LIMIT_MS = 2000;

/** One request that was sent, with what came of it. */
interface Attempt {
  request: HttpRequest;
  outcome: HttpOutcome;
  scope: Scope;
}

/** Runs a request step in its form: once, until it holds, in turn or all at once. Throws a `CheckFailure`. */
export async function runRequest(step: RequestStep, place: StepPlace, context: CheckContext): Promise<void> {
  if (step.retry) {
    await runUntilItHolds(step, step.retry, place, context);
  } else if (step.parallel !== undefined) {
    await runParallel(step, step.parallel, place, context);
  } else if (step.repeat !== undefined) {
    await runRepeated(step, step.repeat, place, context);
  } else {
    const attempt = await send(step, place.scope, place, context);
    settle(step, attempt, place, context);
  }
}

async function runUntilItHolds(
  step: RequestStep,
  retry: NonNullable<RequestStep['retry']>,
  place: StepPlace,
  context: CheckContext,
): Promise<void> {
  const endsAt = performance.now() + retry.within;
  for (let tries = 1; ; tries += 1) {
    const attempt = await send(step, place.scope, place, context);
    try {
      keep(step, attempt, place, context);
      return;
    } catch (error) {
      const over = context.budget.signal.aborted || performance.now() + retry.every > endsAt;
      if (!(error instanceof CheckFailure) || over) {
        place.trail.addFailing(shown(attempt, context));
        const tried = ` (tried ${tries} times within ${formatMs(retry.within)})`;
        throw error instanceof CheckFailure
          ? new CheckFailure(error.message + tried, error.detail, true)
          : error;
      }
    }
    await context.budget.sleep(retry.every);
  }
}

async function runRepeated(
  step: RequestStep,
  count: number,
  place: StepPlace,
  context: CheckContext,
): Promise<void> {
  const attempts: Attempt[] = [];
  for (let index = 0; index < count; index += 1) {
    context.budget.enforce();
    const attempt = await send(step, turnScope(place, context, index), place, context);
    settle(step, attempt, place, context);
    attempts.push(withoutBody(attempt));
  }
  tallyUp(step, attempts, place, context);
}

async function runParallel(
  step: RequestStep,
  count: number,
  place: StepPlace,
  context: CheckContext,
): Promise<void> {
  const scopes = Array.from({ length: count }, (_, index) => turnScope(place, context, index));
  const requests = scopes.map((scope) => buildRequest(step, scope, context.target, context.headers));
  const limits = limitsOf(step, context);
  const sockets = await Promise.all(
    requests.map(() => connect(context.via ?? context.target, limits, context.budget.signal)),
  );
  const begin = performance.now();
  // One turn of the event loop starts them all.
  const outcomes = await Promise.all(
    sockets.map(async (socket, index) => {
      const request = requests[index];
      return 'durationMs' in socket || !request
        ? (socket as HttpOutcome)
        : await exchange(request, { kind: 'open', socket }, limits, context.budget.signal);
    }),
  );
  context.seen.exchangeMs += performance.now() - begin;
  const attempts = outcomes.flatMap((outcome, index): Attempt[] => {
    const [request, scope] = [requests[index], scopes[index]];
    return request && scope ? [{ request, outcome, scope }] : [];
  });
  for (const attempt of attempts) {
    recordAttempt(attempt, place, begin, context);
  }
  settleAll(step, attempts, place, context);
}

/** Judges every answer; of those that are wrong the first few are shown. */
function settleAll(step: RequestStep, attempts: Attempt[], place: StepPlace, context: CheckContext): void {
  const failures: { attempt: Attempt; failure: CheckFailure }[] = [];
  const captured: Captured[] = [];
  for (const attempt of attempts) {
    try {
      noteConnection(attempt.outcome, context);
      captured.push(judge(step, attempt));
    } catch (error) {
      if (!(error instanceof CheckFailure)) {
        throw error;
      }
      failures.push({ attempt, failure: error });
    }
  }
  const [first] = failures;
  if (first) {
    place.trail.addFailing(...failures.slice(0, MAX_FAILING).map(({ attempt }) => shown(attempt, context)));
    const message = `${failures.length} of ${attempts.length} parallel requests failed; the first: ${first.failure.message}`;
    const late = failures.every(({ failure }) => failure.late);
    const text = attempts.length === 1 ? first.failure.message : message;
    throw new CheckFailure(text, first.failure.detail, late);
  }
  for (const values of captured) {
    keepCaptures(values, place.scope);
  }
  place.trail.add(...attempts.slice(0, 1).map((attempt) => shown(attempt, context)));
  tallyUp(step, attempts, place, context);
}

function tallyUp(step: RequestStep, attempts: Attempt[], place: StepPlace, context: CheckContext): void {
  const statuses = attempts.map(({ outcome }) => outcome.response?.status);
  const failure = judgeTally(step.tally, statuses, place.scope);
  if (failure) {
    // One example of each status tells the story.
    const examples = attempts.filter((_, index) => statuses.indexOf(statuses[index]) === index);
    place.trail.addFailing(...examples.map((attempt) => shown(attempt, context)));
    throw failure;
  }
}

async function send(
  step: RequestStep,
  scope: Scope,
  place: StepPlace,
  context: CheckContext,
): Promise<Attempt> {
  const request = buildRequest(step, scope, context.target, context.headers);
  const { pool, budget } = context;
  const target = context.via ?? context.target;
  const connection: Connection = pool ? { kind: 'pool', agent: pool, target } : { kind: 'new', target };
  const begin = performance.now();
  const outcome = await exchange(request, connection, limitsOf(step, context), budget.signal);
  context.seen.exchangeMs += performance.now() - begin;
  const attempt = { request, outcome, scope };
  recordAttempt(attempt, place, begin, context);
  return attempt;
}

function recordAttempt(attempt: Attempt, place: StepPlace, beganMs: number, context: CheckContext): void {
  context.secrets.learnHeaders(attempt.request.headers);
  context.secrets.learnHeaders(attempt.outcome.response?.headers ?? []);
  context.record.add(place.at, beganMs, () => shown(attempt, context));
}

function settle(step: RequestStep, attempt: Attempt, place: StepPlace, context: CheckContext): void {
  try {
    keep(step, attempt, place, context);
  } catch (error) {
    place.trail.addFailing(shown(attempt, context));
    throw error;
  }
}

function keep(step: RequestStep, attempt: Attempt, place: StepPlace, context: CheckContext): void {
  noteConnection(attempt.outcome, context);
  keepCaptures(judge(step, attempt), place.scope);
  place.trail.add(shown(attempt, context));
}

/** Throws a `CheckFailure` unless the answer is as expected; answers what the step captures of it. */
function judge(step: RequestStep, { outcome, scope }: Attempt): Captured {
  const { response, failure } = outcome;
  if (failure) {
    const closed = failure.kind === 'CONN_CLOSED' || failure.kind === 'CONN_RESET';
    if (closed && step.expect?.orClosed) {
      return [];
    }
    const detail = { expected: 'an answer', actual: failure.kind };
    throw new CheckFailure(failure.message, detail, failure.kind === 'TIMEOUT');
  }
  if (!response) {
    throw new Error('an exchange without a failure has no response');
  }
  const judged = runWithin(() => {
    inPlace('expect', () => judgeResponse(step.expect ?? {}, outcome, response, scope));
    return inPlace('capture', () => readCaptures(step.capture, response, scope));
  }, JUDGE_LIMIT_MS);
  if (judged.late) {
    const message = `the answer of ${response.body.length} bytes could not be compared within ${formatMs(JUDGE_LIMIT_MS)}`;
    throw new CheckFailure(message, { at: 'expect' });
  }
  return judged.value;
}

function inPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CheckFailure ? error.within(place) : error;
  }
}

function noteConnection(outcome: HttpOutcome, context: CheckContext): void {
  context.seen.connectionFailure ||= isConnectionFailure(outcome);
}

function limitsOf(step: RequestStep, context: CheckContext): HttpLimits {
  const timeoutMs = step.timeout ?? context.requestTimeoutMs;
  const shareBytes = Math.floor(MAX_BODIES_BYTES / (context.width * (step.parallel ?? 1)));
  return {
    connectTimeoutMs: Math.min(CONNECT_TIMEOUT_MS, timeoutMs),
    timeoutMs,
    maxBodyBytes: step.maxBody ?? Math.min(DEFAULT_MAX_BODY_BYTES, shareBytes),
    decompress: step.decompress ?? false,
  };
}

function turnScope({ scope, at }: StepPlace, context: CheckContext, index: number): Scope {
  return innerScope(scope, makePrng(`${context.seed}/${at}/${index}`), index);
}

function shown({ request, outcome }: Attempt, context: CheckContext): ReturnType<typeof toExchange> {
  return toExchange(request, outcome, baseUrl(context.target));
}

/** For the tally the status is enough; thousands of bodies are not kept. */
function withoutBody(attempt: Attempt): Attempt {
  const { response } = attempt.outcome;
  return response
    ? {
        ...attempt,
        outcome: { ...attempt.outcome, response: { ...response, body: response.body.subarray(0, 512) } },
      }
    : attempt;
}
