import fc from 'fast-check';
import type { ContractKind, ContractOperation } from '../../src/domain/contract-plan.ts';
import { pathParameters } from '../../src/domain/contract-resources.ts';
import { judgeInvalid, judgeValid } from './judge.ts';
import type { Judgement } from './judge.ts';
import type { LimitCase } from './limit-cases.ts';
import { isValid, keyOf, validCases, withoutOptional } from './request-case.ts';
import type { RequestCase, WrongCase } from './request-case.ts';
import type { Sent, Session } from './session.ts';
import { checkAvailability, checkUnsupported, checkUseAfterFree, sampleValid } from './stateful.ts';
import { tryCases } from './try-cases.ts';

/** What is to be sent to one operation. */
export interface OperationPlan {
  operation: ContractOperation;
  /** Requests that are just valid, one trial each. */
  limits: LimitCase[];
  /** Ways to get its input wrong, one trial each. */
  wrong: WrongCase[];
  validRuns: number;
  wrongRuns: number;
}

/** Valid requests that are sent whatever the budget. */
const LEAST_VALID = 3;
/** Refusals of things that exist after which "nothing is accepted" is said. */
const LEAST_REFUSED = 2;
/** What was made may have ended by itself, such as by a time to live. */
const GONE = 410;
const NOTHING: Judgement = { asked: [], findings: [] };
const BY_ANSWER: readonly ContractKind[] = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
];

/** Asks one operation everything: valid requests, invalid ones, and what its neighbours say of it. */
export async function runOperation(plan: OperationPlan, session: Session): Promise<void> {
  const { operation } = plan;
  await tryValid(plan, session);
  await tryLimits(plan, session);
  session.complete(operation, ['positive_data_acceptance']);
  await tryWrong(plan, session);
  session.complete(operation, ['negative_data_rejection', ...BY_ANSWER]);
  await checkRequiredHeaders(operation, session);
  await checkAuth(operation, session);
  session.complete(operation, ['missing_required_header', 'ignored_auth']);
  await checkUnsupported(operation, session);
  await checkAvailability(operation, session);
  await checkUseAfterFree(operation, session);
  session.complete(operation, ['unsupported_method', 'ensure_resource_availability', 'use_after_free']);
}

/** What is drawn at random seldom is as long or as large as it may be. What fails there too has been made small by now. */
async function tryLimits({ operation, limits }: OperationPlan, session: Session): Promise<void> {
  for (const [index, { what, cases, isThere }] of limits.entries()) {
    if (session.over || session.muted(operation) !== undefined) {
      return;
    }
    function judge({ outcome }: Sent): Judgement {
      const finding = outcome.response && judgeValid(operation, outcome.response, what);
      return { asked: ['positive_data_acceptance'], findings: finding ? [finding] : [] };
    }
    function applies(made: RequestCase): boolean {
      return isThere(made) && isValid(operation, made, session.requests);
    }
    await tryCases({ operation, name: `limit/${index}`, cases, applies, judge, runs: 1, least: 1 }, session);
  }
}

async function tryValid({ operation, validRuns }: OperationPlan, session: Session): Promise<void> {
  const hasPath = pathParameters(operation.path).length > 0;
  let accepted = 0;
  const refused: Sent[] = [];
  function judge(sent: Sent): Judgement {
    const { response } = sent.outcome;
    if (!response) {
      return NOTHING;
    }
    if (response.status < 400) {
      accepted += 1;
    } else if (response.status !== GONE && (sent.known || !hasPath)) {
      refused.push(sent);
    }
    const finding = judgeValid(operation, response);
    return { asked: ['positive_data_acceptance'], findings: finding ? [finding] : [] };
  }
  await tryCases(
    {
      operation,
      name: 'valid',
      cases: validCases(operation, session.requests),
      applies: (made) => isValid(operation, made, session.requests),
      judge,
      runs: validRuns,
      least: LEAST_VALID,
    },
    session,
  );
  const last = refused.at(-1);
  const locked = operation.secured && Object.keys(session.plan.headers).length === 0;
  if (last && accepted === 0 && refused.length >= Math.min(LEAST_REFUSED, validRuns) && !locked) {
    const things = hasPath ? ' for things that exist' : '';
    const message = `${operation.method} ${operation.path} accepted none of ${refused.length} valid requests${things}; the last answer was ${last.outcome.response?.status}`;
    const actual = String(last.outcome.response?.status);
    session.lose(operation, { kind: 'positive_data_acceptance', message, expected: '2xx', actual }, [last]);
  }
}

/**
 * Sends what is wrong in one place. The rest is made up, or that of a request that the service has accepted: always where
 * it turns down what is valid, since it would else be taken for careful.
 */
async function tryWrong({ operation, wrong, wrongRuns }: OperationPlan, session: Session): Promise<void> {
  for (const [index, { what, cases, isWrong }] of wrong.entries()) {
    if (session.over || session.muted(operation) !== undefined) {
      return;
    }
    function judge({ outcome }: Sent): Judgement {
      const finding = outcome.response && judgeInvalid(operation, outcome.response, what);
      return { asked: ['negative_data_rejection'], findings: finding ? [finding] : [] };
    }
    const known = session.accepted.get(operation.id);
    const accepted = known && withoutOptional(operation, known, session.requests);
    const refusesValid = !session.isOpen(operation, 'positive_data_acceptance');
    for (let run = 0; run < wrongRuns; run += 1) {
      const name = `wrong/${index}/${run}`;
      const made = cases(refusesValid || (index + run) % 2 === 1 ? accepted : undefined);
      const least = run === 0 ? 1 : 0;
      await tryCases({ operation, name, cases: made, applies: isWrong, judge, runs: 1, least }, session);
    }
  }
}

async function checkRequiredHeaders(operation: ContractOperation, session: Session): Promise<void> {
  const kind = 'missing_required_header';
  for (const header of operation.parameters.filter((one) => one.in === 'header' && one.required)) {
    const made = session.over ? undefined : sampleValid(operation, session);
    const { [keyOf(header)]: _left, ...parameters } = made?.parameters ?? {};
    const known = session.resources.ofPath(operation.path).length - 1;
    const sent = made && (await session.send(operation, { ...made, known, parameters }));
    const status = sent?.outcome.response?.status;
    if (sent && status !== undefined) {
      session.ask(operation, [kind]);
      if (status < 400) {
        const message = `${operation.method} ${operation.path} answered ${status} to a request without the required header ${header.name}`;
        session.lose(operation, { kind, message, expected: '4xx', actual: String(status) }, [sent]);
      }
    }
  }
}

async function checkAuth(operation: ContractOperation, session: Session): Promise<void> {
  const kind = 'ignored_auth';
  const made = session.isOpen(operation, kind) && !session.over ? sampleValid(operation, session) : undefined;
  const sent = made && (await session.send(operation, made, {}));
  const status = sent?.outcome.response?.status;
  if (sent && status !== undefined) {
    session.ask(operation, [kind]);
    if (status < 400) {
      const message = `${operation.method} ${operation.path} answered ${status} to a request without credentials`;
      session.lose(operation, { kind, message, expected: '401 or 403', actual: String(status) }, [sent]);
    }
  }
}

/** How many different values an operation takes: one that takes none is asked a few times only. */
export function takesInput(operation: ContractOperation): boolean {
  return operation.body !== undefined || operation.parameters.length > 0;
}

/** Draws `count` of the ways to be wrong or just right by a seed, what is deeper inside last; they keep their order. */
export function drawWays<T extends { depth: number }>(ways: readonly T[], count: number, seed: number): T[] {
  const [shuffled = []] = fc.sample(
    fc.shuffledSubarray([...ways], { minLength: ways.length, maxLength: ways.length }),
    { seed, numRuns: 1 },
  );
  const kept = new Set(
    shuffled.toSorted((a, b) => Math.max(1, a.depth) - Math.max(1, b.depth)).slice(0, count),
  );
  return ways.filter((way) => kept.has(way));
}
