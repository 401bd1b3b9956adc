import { once } from 'node:events';
import { loadPlanBudgetMs, REFERENCE_AGAIN_MS } from '../domain/load-plan.ts';
import type { ReferenceFigures } from '../domain/load-result.ts';
import { PROTOCOL_VERSION } from '../domain/grader-protocol.ts';
import { LoadResultSchema } from '../domain/report.ts';
import type { Candidate } from '../sandbox/sandbox-engine.ts';
import type { Clock } from '../shared/clock.ts';
import { withDeadline } from '../shared/with-deadline.ts';
import { CandidateKeeper } from './candidate-keeper.ts';
import { runSession } from './grader-session.ts';
import type { OnProgress } from './progress.ts';
import { referencePlan, toFigures } from './reference-plan.ts';
import type { Needed } from './reference-plan.ts';
import { GRADER_GRACE_MS, serviceCpus, serviceCpuset, startGrader } from './start-grader.ts';
import type { GraderContext } from './start-grader.ts';
import type { GraderTask, StagePlan } from './stages/stage-plan.ts';

const SEED = 'reference';
const READY_WITHIN_MS = 20_000;

interface ReferenceContext extends GraderContext {
  clock: Clock;
  onProgress: OnProgress;
}

/**
 * The task with what its grader is to know of the machine: the CPUs of the service and, where the task asks for it,
 * what the reference service reaches on them right now. A measurement that fails leaves the figures out.
 */
export async function calibrateTask(
  plan: StagePlan,
  task: GraderTask,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<GraderTask> {
  if (task.calibrate === undefined) {
    return task;
  }
  const need = task.calibrate.reference;
  const reference =
    need === 'nothing' ? undefined : await measure(plan, need, 'measuring the machine', context, signal);
  return {
    ...task,
    plan: {
      ...(task.plan as object),
      serviceCpus: serviceCpus(plan, context),
      ...(reference && { reference }),
    },
  };
}

/**
 * Measures the reference once more when the test is over. `makeRoom` ends the service, whose port and CPUs it takes.
 * Undefined when that fails twice or takes too long: limits that held by the first measurement stand, those that were
 * missed cannot be judged. Throws the signal's reason alone.
 */
export async function measureAgain(
  plan: StagePlan,
  need: Needed,
  makeRoom: () => Promise<void>,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<ReferenceFigures | undefined> {
  const inTime = withDeadline(signal, REFERENCE_AGAIN_MS);
  async function again(): Promise<ReferenceFigures | undefined> {
    return await measure(plan, need, 'measuring the machine again', context, inTime);
  }
  try {
    await untilSignal(inTime, makeRoom());
    // Once more for a moment's trouble: without it a limit that was missed could not be judged.
    return (await again()) ?? (await again());
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/** Waits for `work`, but no longer than until the signal. */
async function untilSignal(signal: AbortSignal, work: Promise<void>): Promise<void> {
  work.catch(() => undefined);
  const late = once(signal, 'abort').then(() => signal.throwIfAborted());
  await Promise.race([work, late]);
}

/** In the pod of the run, while no submission is in it, on its CPUs and within its limits. */
async function measure(
  plan: StagePlan,
  need: Needed,
  label: string,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<ReferenceFigures | undefined> {
  context.onProgress({ kind: 'progress', stage: plan.name, done: 0, total: 0, label });
  const measurement = referencePlan(need);
  const task = { grader: 'load', plan: measurement, deadlineMs: loadPlanBudgetMs(measurement) };
  const starting = startGrader(plan, task, context, signal);
  starting.catch(() => undefined);
  let candidate: Candidate | undefined;
  try {
    candidate = await startReference(plan, context, signal);
    const { pod, service, clock } = context;
    const rule = { port: service.port, path: '/', withinMs: READY_WITHIN_MS };
    const keeper = new CandidateKeeper(pod, candidate, rule, clock);
    const readiness = await keeper.ready(signal);
    if (readiness.kind !== 'ready') {
      return undefined;
    }
    const input = {
      v: PROTOCOL_VERSION,
      stage: plan.name,
      target: { address: readiness.address, port: service.port },
      seed: SEED,
      deadlineMs: task.deadlineMs,
      plan: { ...measurement, serviceCpus: serviceCpus(plan, context) },
    } as const;
    const session = { input, keeper, onProgress: () => undefined, graceMs: GRADER_GRACE_MS };
    const { result, inconclusive } = await runSession(await starting, session, signal);
    const load = LoadResultSchema.safeParse(result);
    return load.success && inconclusive === undefined ? toFigures(need, load.data) : undefined;
  } finally {
    await Promise.allSettled([candidate?.remove(), starting.then((grader) => grader.kill())]);
  }
}

async function startReference(
  plan: StagePlan,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<Candidate> {
  const { pod, engine, service } = context;
  const { cpus, memory, pids, files, wall } = service.limits;
  return await pod.startCandidate(
    {
      image: await engine.image('reference', signal),
      command: ['node', 'server.mjs', String(service.port)],
      workdir: '/reference',
      env: {},
      limits: { cpus, memoryBytes: memory, pids, files, wallMs: wall },
      ...serviceCpuset(plan, context),
    },
    signal,
  );
}
