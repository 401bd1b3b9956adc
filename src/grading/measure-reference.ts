import { loadPlanBudgetMs, REFERENCE_AGAIN_MS } from '../domain/load-plan.ts';
import type { LoadPlan } from '../domain/load-plan.ts';
import { PROTOCOL_VERSION } from '../domain/grader-protocol.ts';
import type { ControlReply } from '../domain/grader-protocol.ts';
import type { ReferenceFigures } from '../domain/load-result.ts';
import { LoadResultSchema } from '../domain/report.ts';
import type { GraderProcess } from '../sandbox/sandbox-engine.ts';
import { abortable } from '../shared/abortable.ts';
import { withDeadline } from '../shared/with-deadline.ts';
import { runSession } from './grader-session.ts';
import type { GraderResult } from './grader-session.ts';
import type { OnProgress } from './progress.ts';
import { referencePlan, toFigures } from './reference-plan.ts';
import type { Needed } from './reference-plan.ts';
import { isReferenceFailure } from './reference-service.ts';
import type { ReferenceService } from './reference-service.ts';
import { GRADER_GRACE_MS, serviceCpus, startGrader } from './start-grader.ts';
import type { GraderContext } from './start-grader.ts';
import type { GraderTask, StagePlan } from './stages/stage-plan.ts';

const SEED = 'reference';
const ADDRESS = '127.0.0.1';

interface ReferenceContext extends GraderContext {
  /** Undefined for a task without limits relative to it. */
  reference: ReferenceService | undefined;
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
  const { reference: need, turns } = task.calibrate;
  const reference =
    need === 'nothing' ? undefined : await measure(plan, need, 'measuring the machine', context, signal);
  if (turns) {
    await warmUp(context, signal);
  }
  return {
    ...task,
    plan: {
      ...(task.plan as object),
      serviceCpus: serviceCpus(plan, context),
      ...(reference && { reference }),
    },
  };
}

/** Where it fails, so will its turns, and the check that they are for is marked as ours. */
async function warmUp({ reference }: ReferenceContext, signal: AbortSignal): Promise<void> {
  try {
    await reference?.warmUp(signal);
  } catch (error) {
    if (!isReferenceFailure(error)) {
      throw error;
    }
  }
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
    await abortable(makeRoom(), inTime);
    // Once more for a moment's trouble: without it a limit that was missed could not be judged.
    return (await again()) ?? (await again());
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

/**
 * In the pod of the run, while the submission is not in it, on its CPUs and at its port. A reference that fails is ended,
 * so that the port is free in any case.
 */
async function measure(
  plan: StagePlan,
  need: Needed,
  label: string,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<ReferenceFigures | undefined> {
  const { reference, onProgress } = context;
  if (!reference) {
    return undefined;
  }
  onProgress({ kind: 'progress', stage: plan.name, done: 0, total: 0, label });
  const measurement = referencePlan(need);
  const task = { grader: 'load', plan: measurement, deadlineMs: loadPlanBudgetMs(measurement) };
  const starting = startGrader(plan, task, context, signal);
  starting.catch(() => undefined);
  try {
    const { result, inconclusive } = await ask(plan, measurement, reference, starting, context, signal);
    const load = LoadResultSchema.safeParse(result);
    return load.success && inconclusive === undefined ? toFigures(need, load.data) : undefined;
  } catch (error) {
    if (isReferenceFailure(error)) {
      await reference.end();
      return undefined;
    }
    throw error;
  } finally {
    await starting.then((grader) => grader.kill()).catch(() => undefined);
  }
}

/** One session of the load grader with the reference. */
async function ask(
  plan: StagePlan,
  measurement: LoadPlan,
  reference: ReferenceService,
  starting: Promise<GraderProcess>,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<GraderResult> {
  const { port } = context.service;
  const deadlineMs = loadPlanBudgetMs(measurement);
  await reference.listen(port, signal);
  const input = {
    v: PROTOCOL_VERSION,
    stage: plan.name,
    target: { address: ADDRESS, port },
    seed: SEED,
    deadlineMs,
    plan: { ...measurement, serviceCpus: serviceCpus(plan, context) },
  } as const;
  const session = {
    input,
    keeper: { control: refuse },
    onProgress: () => undefined,
    graceMs: GRADER_GRACE_MS,
  };
  const result = await runSession(await starting, session, signal);
  await reference.rest(signal);
  return result;
}

/** It is no submission: nobody looks after it. */
function refuse(id: string): Promise<ControlReply> {
  return Promise.resolve({ id, ok: false, error: 'this is the reference service' });
}
