import type {
  ContractCheck,
  ContractKind,
  ContractOperation,
  ContractPlan,
} from '../../src/domain/contract-plan.ts';
import type { Check, GraderInput } from '../../src/domain/grader-protocol.ts';
import { formatMs } from '../../src/domain/units.ts';
import { fitEvidence } from '../api/fit-evidence.ts';
import { answers } from '../api/liveness.ts';
import type { Host } from '../api/run-plan.ts';
import { ServiceControl } from '../api/service-control.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import { limitCases } from './limit-cases.ts';
import { wrongCases } from './request-case.ts';
import { drawWays, runOperation, takesInput } from './run-operation.ts';
import type { OperationPlan } from './run-operation.ts';
import { seedOf, Session } from './session.ts';

/** Kept free at the end of the stage to report what was not reached. */
const RESERVE_MS = 2000;
/** Valid requests of an operation that takes no input, and at most of one that does. */
const FEW_RUNS = 2;
const MOST_RUNS = 25;
const LEAST_RUNS = 3;
/** Of the budget: invalid requests, those that are just valid, and what is kept for shrinking and stateful checks. */
const WRONG_SHARE = 0.5;
const LIMIT_SHARE = 0.15;
const KEPT_SHARE = 0.15;

/** Makers first, so that others have something to ask for; what deletes comes last. */
const ORDER = ['POST', 'GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'TRACE', 'DELETE'];

/** What of an answer a kind looks at, in the words of the suites' language. */
const PLACES: Readonly<Record<ContractKind, string>> = {
  not_a_server_error: 'expect.status',
  status_code_conformance: 'expect.status',
  content_type_conformance: 'expect.headers.content-type',
  response_schema_conformance: 'expect.schema',
  response_headers_conformance: 'expect.headers',
  positive_data_acceptance: 'expect.status',
  negative_data_rejection: 'expect.status',
  missing_required_header: 'expect.status',
  ignored_auth: 'expect.status',
  unsupported_method: 'expect.status',
  ensure_resource_availability: 'expect.status',
  use_after_free: 'expect.status',
};

/** Runs a contract plan and emits its checks, operation by operation. */
export async function runContract(input: GraderInput, plan: ContractPlan, host: Host): Promise<void> {
  const defaults = defaultHeaders(input.seed, 0);
  const service = new ServiceControl(host.control, () => answers(input.target, plan.readyPath, defaults));
  const budgetMs = input.deadlineMs - Math.min(RESERVE_MS, input.deadlineMs / 10);
  const session = new Session(input, plan, service, AbortSignal.timeout(budgetMs));
  const plans = planOperations(session);
  for (const [index, one] of plans.entries()) {
    const { method, path } = one.operation;
    await host.emit({ event: 'progress', done: index, total: plans.length, label: `${method} ${path}` });
    const began = performance.now();
    await runOperation(one, session);
    const checks = plan.checks.filter(({ operation }) => operation === one.operation.id);
    const durationMs = Math.round((performance.now() - began) / Math.max(1, checks.length));
    for (const check of checks) {
      await host.emit({ event: 'check', check: conclude(check, one.operation, session, input, durationMs) });
    }
  }
  await host.emit({ event: 'progress', done: plans.length, total: plans.length, label: 'done' });
  await host.emit({
    event: 'metric',
    metric: { name: 'contract requests', value: session.sent, unit: 'count' },
  });
}

/** Shares the budget out. Every operation gets a few requests, every way to be wrong one, as far as they fit. */
function planOperations(session: Session): OperationPlan[] {
  const { operations, budget } = session.plan;
  const ordered = operations.toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method));
  const all = ordered.map((operation) => wrongCases(operation, session.requests));
  const ways = all.reduce((sum, list) => sum + list.length, 0);
  const room = Math.max(1, Math.floor(budget.requests * WRONG_SHARE));
  const wrongRuns = 2 * ways <= room ? 2 : 1;
  const share = Math.min(1, room / Math.max(1, ways));
  const limits = ordered.map((operation) => limitCases(operation, session.requests));
  const limitCount = limits.reduce((sum, list) => sum + list.length, 0);
  const limitRoom = Math.floor(budget.requests * LIMIT_SHARE);
  const limitShare = Math.min(1, limitRoom / Math.max(1, limitCount));
  const taken = Math.min(room, ways * wrongRuns) + Math.min(limitRoom, limitCount);
  const rest = budget.requests * (1 - KEPT_SHARE) - taken;
  const takers = ordered.filter(takesInput).length;
  const validRuns = Math.floor(rest / Math.max(1, takers));
  return ordered.map((operation, index) => {
    const list = all[index] ?? [];
    const just = limits[index] ?? [];
    const seed = seedOf(`${session.seed}/${index}`);
    return {
      operation,
      limits: drawWays(just, Math.ceil(just.length * limitShare), seed),
      wrong: drawWays(list, Math.max(1, Math.ceil(list.length * share)), seed),
      validRuns: takesInput(operation) ? Math.min(MOST_RUNS, Math.max(LEAST_RUNS, validRuns)) : FEW_RUNS,
      wrongRuns,
    };
  });
}

function conclude(
  planned: ContractCheck,
  operation: ContractOperation,
  session: Session,
  input: GraderInput,
  durationMs: number,
): Check {
  const { id, name, suite, maxPoints, skill, visibility, kind } = planned;
  const check = { id, name, suite, maxPoints, skill, visibility, durationMs, tags: [kind] };
  const loss = session.losses.get(id);
  if (loss) {
    const { message, expected, actual, exchanges } = loss;
    const evidence = fitEvidence({ exchanges, at: PLACES[kind], expected, actual });
    return { ...check, status: 'failed', points: 0, message: message.slice(0, 2000), evidence };
  }
  if (!session.completed.has(id)) {
    return { ...check, points: 0, ...notRun(operation, session, input) };
  }
  if (!session.asked.has(id)) {
    const message = 'No answer came that this could be seen in.';
    return { ...check, status: 'skipped', points: 0, message };
  }
  return { ...check, status: 'passed', points: maxPoints, message: '' };
}

/** Whose it is that a check was not carried out to its end. */
function notRun(
  operation: ContractOperation,
  session: Session,
  input: GraderInput,
): Pick<Check, 'status' | 'message'> {
  const { blocked } = session.service;
  if (blocked !== undefined) {
    return { status: 'failed', message: `not run: the service is down: ${blocked}`.slice(0, 2000) };
  }
  const muted = session.muted(operation);
  if (muted !== undefined) {
    return { status: 'failed', message: `not run to the end: ${muted}` };
  }
  const stage = `the ${formatMs(input.deadlineMs)} of the stage`;
  return session.exchangeMs >= input.deadlineMs / 2
    ? { status: 'failed', message: `not reached: the service used up ${stage}` }
    : { status: 'errored', message: `not reached: the grader's own work used up ${stage}` };
}
