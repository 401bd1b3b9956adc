import type { ApiSuite, ApiTest } from '../../src/domain/api-suite.ts';
import type { Check, GraderEvent, GraderInput } from '../../src/domain/grader-protocol.ts';
import { OUTCOMES_ARTIFACT, SEEN_ARTIFACT_PREFIX } from '../../src/domain/mutation.ts';
import type { MutantOutcome, MutationPlan, PlannedMutant, SeenCheck } from '../../src/domain/mutation.ts';
import { answers } from '../api/liveness.ts';
import { runCheck } from '../api/run-check.ts';
import { ServiceControl } from '../api/service-control.ts';
import type { Control } from '../api/service-control.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import { asItIs, behaviourOf } from './behaviour.ts';
import { emitArtifact } from '../shared/emit-artifact.ts';
import { openProxy } from './proxy.ts';
import type { Proxy } from './proxy.ts';
import { makeRecorder } from './recorder.ts';

interface Host {
  emit: (event: GraderEvent) => Promise<void>;
  control: Control;
}

interface Session {
  input: GraderInput;
  plan: MutationPlan;
  host: Host;
  proxy: Proxy;
  service: ServiceControl;
  tests: Map<string, { suite: ApiSuite; test: ApiTest }>;
}

/** Without mutants: runs every check once and hands over what it saw. With mutants: finds which of them a check notices. */
export async function runMutants(input: GraderInput, plan: MutationPlan, host: Host): Promise<void> {
  const { suites, readyPath } = plan.api;
  const headers = defaultHeaders(input.seed, 0);
  const session: Session = {
    input,
    plan,
    host,
    proxy: await openProxy(input.target),
    service: new ServiceControl(host.control, () => answers(input.target, readyPath, headers)),
    tests: new Map(suites.flatMap((suite) => suite.tests.map((test) => [test.id, { suite, test }] as const))),
  };
  try {
    await (plan.mutants.length === 0 ? record(session) : tryAll(session));
  } finally {
    await session.proxy.close();
  }
}

async function record(session: Session): Promise<void> {
  let index = 0;
  for (const id of session.tests.keys()) {
    const recorder = makeRecorder();
    session.proxy.behave(recorder.behaviour);
    const check = await run(session, id, 'as-it-is');
    const { status, durationMs } = check;
    const seen: SeenCheck = { id, passed: status === 'passed', durationMs, exchanges: recorder.exchanges() };
    await emitJson(session, `${SEEN_ARTIFACT_PREFIX}${index}.json`, seen);
    index += 1;
    await session.host.emit({ event: 'progress', done: index, total: session.tests.size, label: id });
  }
}

async function tryAll(session: Session): Promise<void> {
  const { mutants } = session.plan;
  const outcomes: MutantOutcome[] = [];
  for (const mutant of mutants) {
    outcomes.push(await tryOne(session, mutant));
    const [done, total] = [outcomes.length, mutants.length];
    await session.host.emit({ event: 'progress', done, total, label: mutant.id });
  }
  await emitJson(session, OUTCOMES_ARTIFACT, await withDoubts(session, outcomes));
}

/** Runs the mutant's checks until one fails. A check that could not be carried out says nothing. */
async function tryOne(session: Session, mutant: PlannedMutant): Promise<MutantOutcome> {
  let applied = false;
  session.proxy.behave(
    behaviourOf(mutant, session.plan.templates, () => {
      applied = true;
    }),
  );
  for (const id of mutant.checks) {
    const { status, message } = await run(session, id, mutant.id);
    if (status === 'failed') {
      return { id: mutant.id, killedBy: id, applied, doubtful: false, message: message.slice(0, 300) };
    }
  }
  return { id: mutant.id, killedBy: null, applied, doubtful: false, message: '' };
}

/** Checks that noticed something must still pass when nothing is changed: else the state of the service did it. */
async function withDoubts(session: Session, outcomes: readonly MutantOutcome[]): Promise<MutantOutcome[]> {
  session.proxy.behave(asItIs);
  const doubtful = new Set<string>();
  for (const id of new Set(outcomes.flatMap(({ killedBy }) => killedBy ?? []))) {
    const { status } = await run(session, id, 'afterwards');
    if (status !== 'passed') {
      doubtful.add(id);
    }
  }
  return outcomes.map((outcome) => ({
    ...outcome,
    doubtful: outcome.killedBy !== null && doubtful.has(outcome.killedBy),
  }));
}

/** One check through the proxy, with random values of its own: names that were taken before stay taken. */
async function run(session: Session, id: string, purpose: string): Promise<Check> {
  const { input, plan, proxy, service } = session;
  const found = session.tests.get(id);
  if (!found) {
    throw new Error(`no check has the id "${id}"`);
  }
  if (service.blocked !== undefined) {
    throw new Error(`the reference is down: ${service.blocked}`);
  }
  const { check } = await runCheck(found.suite, found.test, {
    target: input.target,
    via: proxy.address,
    service,
    seed: `${input.seed}/${purpose}`,
    timeoutMs: Math.min(
      found.test.timeoutMs ?? plan.api.checkTimeoutMs,
      plan.limitsMs[id] ?? Number.POSITIVE_INFINITY,
    ),
    requestTimeoutMs: plan.api.requestTimeoutMs,
    headers: defaultHeaders(input.seed, 0),
  });
  return check;
}

async function emitJson({ host }: Session, name: string, value: unknown): Promise<void> {
  const content = Buffer.from(JSON.stringify(value));
  await emitArtifact(host.emit, { name, contentType: 'application/json', content });
}
