import type { Challenge } from '../domain/challenge.ts';
import { PROTOCOL_VERSION } from '../domain/grader-protocol.ts';
import { REFERENCE_AGAIN_MS } from '../domain/load-plan.ts';
import type { ReferenceTurn } from '../domain/load-result.ts';
import type { Failure } from '../domain/report.ts';
import { LoadResultSchema } from '../domain/report.ts';
import type { StageFacts } from '../report/run-facts.ts';
import type {
  Candidate,
  GraderProcess,
  ImageId,
  LogCapture,
  Pod,
  SandboxEngine,
} from '../sandbox/sandbox-engine.ts';
import type { Clock } from '../shared/clock.ts';
import { CandidateKeeper } from './candidate-keeper.ts';
import { diagnoseStart } from './diagnose.ts';
import { emptyResult, runSession } from './grader-session.ts';
import type { Artifact, GraderResult, SessionOptions } from './grader-session.ts';
import type { Grader } from './graders.ts';
import { JUNIT_ARTIFACT, junitChecks } from './junit-results.ts';
import { calibrateTask, measureAgain } from './measure-reference.ts';
import { isReferenceFailure, ReferenceService } from './reference-service.ts';
import type { OwnImages } from './own-images.ts';
import { GRADER_GRACE_MS, graderImage, serviceCpuset, startGrader, taskWallMs } from './start-grader.ts';
import type { GraderTask, StagePlan } from './stages/stage-plan.ts';
import type { OnProgress } from './progress.ts';
import { sidecarPorts, startSidecars } from './sidecars.ts';
import type { Sidecars } from './sidecars.ts';

/** What a stage needs to know of its run. */
export interface StageContext {
  engine: Pick<SandboxEngine, 'image'>;
  ownImages: OwnImages;
  pod: Pod;
  image: ImageId;
  start: readonly string[];
  service: Challenge['file']['service'];
  seed: string;
  clock: Clock;
  /** CPUs of the machine that the containers may use. */
  cpus: number;
  loadGrader: (name: string) => Promise<Grader>;
  onProgress: OnProgress;
}

export interface StageOutcome {
  facts: StageFacts;
  artifacts: Artifact[];
  /** What the service printed in this stage, over all its lives. */
  logs: LogCapture[];
  /** From the start of the process to its first 2xx answer, ms; the first service of the stage. */
  readyMs: number | undefined;
  /** Images of the graders and sidecars, by name. */
  images: Record<string, ImageId>;
}

interface CalibratedContext extends StageContext {
  reference: ReferenceService | undefined;
}

interface TaskOutcome {
  result: GraderResult;
  failure: Failure | undefined;
  crashes: number;
  log: LogCapture;
  readyMs: number | undefined;
}

const WORKDIR = '/app';
/** A grader that broke or could not measure is run once more, on a new service; twice is reported as ours. */
const GRADER_TRIES = 2;

/**
 * Runs one stage: for each task a new service with empty data and databases, readiness, then its grader to the end. Never throws
 * for what candidate or grader do; throws the signal's reason and the engine's own failures.
 */
export async function runStage(
  plan: StagePlan,
  context: StageContext,
  signal: AbortSignal,
): Promise<StageOutcome> {
  const giveBack = plan.exclusive ? await waitForHost(plan, context, signal) : undefined;
  try {
    return await runTasks(plan, context, signal);
  } finally {
    await giveBack?.();
  }
}

async function runTasks(plan: StagePlan, context: StageContext, signal: AbortSignal): Promise<StageOutcome> {
  const began = context.clock.elapsedMs();
  const outcomes: TaskOutcome[] = [];
  for (const task of plan.tasks) {
    const outcome = await runTaskTwiceAtMost(plan, task, context, signal);
    outcomes.push(outcome);
    if (outcome.failure) {
      break;
    }
  }
  const results = outcomes.map((outcome) => outcome.result);
  const load = results
    .map((result) => LoadResultSchema.safeParse(result.result))
    .find((parsed) => parsed.success);
  const failure = outcomes.find((outcome) => outcome.failure)?.failure;
  const inconclusive = results.find((result) => result.inconclusive)?.inconclusive;
  const readyMs = outcomes[0]?.readyMs;
  return {
    facts: {
      name: plan.name,
      durationMs: context.clock.elapsedMs() - began,
      seed: stageSeed(context.seed, plan.name),
      checks: results.flatMap((result) => result.checks),
      metrics: results.flatMap((result) => result.metrics),
      ...(load ? { load: load.data } : {}),
      ...(failure ? { failure } : {}),
      ...(inconclusive ? { inconclusive } : {}),
      crashes: outcomes.reduce((sum, outcome) => sum + outcome.crashes, 0),
    },
    artifacts: withOwnNames(results.flatMap((result) => result.artifacts)),
    logs: outcomes.map((outcome) => outcome.log),
    readyMs,
    images: await graderImages(plan, context, signal),
  };
}

/** Several tasks of a stage hand over files of one name: the second "api.har" becomes "api-2.har". */
function withOwnNames(artifacts: readonly Artifact[]): Artifact[] {
  const seen = new Map<string, number>();
  return artifacts.map((artifact) => {
    const count = (seen.get(artifact.name) ?? 0) + 1;
    seen.set(artifact.name, count);
    return count === 1 ? artifact : { ...artifact, name: artifact.name.replace(/(?=\.|$)/, `-${count}`) };
  });
}

/** A grader may hand over its checks as JUnit XML; what it reported in events besides stays. */
function withJunit(result: GraderResult, plan: StagePlan): GraderResult {
  const xml = result.artifacts.find((artifact) => artifact.name === JUNIT_ARTIFACT)?.content.toString('utf8');
  if (xml === undefined || result.error !== undefined) {
    return result;
  }
  try {
    return { ...result, checks: [...result.checks, ...junitChecks(xml, plan.checks)] };
  } catch (error) {
    return { ...result, error: error instanceof Error ? error.message : String(error) };
  }
}

/** Two load tests at once would measure each other. */
async function waitForHost(plan: StagePlan, context: StageContext, signal: AbortSignal) {
  const label = 'waiting for the machine: one load test at a time';
  context.onProgress({ kind: 'progress', stage: plan.name, done: 0, total: 0, label });
  return await context.pod.ownHost(signal);
}

async function runTaskTwiceAtMost(
  plan: StagePlan,
  task: GraderTask,
  context: StageContext,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  let outcome = await runTask(plan, task, context, signal);
  for (let tries = 1; isUnmeasured(outcome.result, task) && tries < GRADER_TRIES; tries += 1) {
    outcome = await runTask(plan, task, context, signal);
  }
  const failure = graderFailure(outcome.result, task);
  return failure ? { ...outcome, failure } : outcome;
}

/** What kept the grader from grading, and whose that is. */
function graderFailure({ error, ours, specError }: GraderResult, task: GraderTask): Failure | undefined {
  if (error !== undefined) {
    return { code: 'GRADER_FAILED', blame: task.own && !ours ? 'spec' : 'infra', message: error };
  }
  const log = specError?.log === undefined ? {} : { log: specError.log };
  return specError && { code: 'SPEC_BROKEN', blame: 'spec', message: specError.message, ...log };
}

/** A limit that a change of the machine's speed kept from being judged is worth another try as well. */
function isUnmeasured(result: GraderResult, { calibrate }: GraderTask): boolean {
  const unsteady = calibrate !== undefined && result.checks.some(({ status }) => status === 'errored');
  return result.error !== undefined || result.inconclusive !== undefined || unsteady;
}

async function runTask(
  plan: StagePlan,
  planned: GraderTask,
  context: StageContext,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const reference = startReference(plan, planned, context, signal);
  try {
    return await runCalibrated(plan, planned, { ...context, reference }, signal);
  } finally {
    await reference?.end().catch(() => undefined);
  }
}

/** Beside the whole task: it is measured before, in between and after. */
function startReference(
  plan: StagePlan,
  task: GraderTask,
  context: StageContext,
  signal: AbortSignal,
): ReferenceService | undefined {
  if ((task.calibrate?.reference ?? 'nothing') === 'nothing') {
    return undefined;
  }
  const wallMs = taskWallMs(task, context.service) + REFERENCE_AGAIN_MS;
  return ReferenceService.start(plan, context, wallMs, signal);
}

/** The grader's container is started while the service boots: it waits for its first line anyway. */
async function runCalibrated(
  plan: StagePlan,
  planned: GraderTask,
  context: CalibratedContext,
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const { service } = context;
  const task = await calibrateTask(plan, planned, context, signal);
  const starting = startGrader(plan, task, context, signal);
  starting.catch(() => undefined);
  const sidecars = await startSidecars(
    service.uses,
    { ...context, wallMs: taskWallMs(task, service), ...serviceCpuset(plan, context) },
    signal,
  );
  try {
    return await runWithSidecars(plan, task, { ...context, sidecars, starting }, signal);
  } finally {
    await Promise.allSettled([sidecars.remove(), starting.then((grader) => grader.kill())]);
  }
}

async function runWithSidecars(
  plan: StagePlan,
  task: GraderTask,
  context: CalibratedContext & { sidecars: Sidecars; starting: Promise<GraderProcess> },
  signal: AbortSignal,
): Promise<TaskOutcome> {
  const { pod, service, sidecars } = context;
  const candidate = await startCandidate(plan, context, signal);
  const rule = {
    port: service.port,
    path: service.ready.path,
    withinMs: service.ready.within,
    otherPorts: sidecarPorts(service.uses),
  };
  const keeper = new CandidateKeeper(pod, candidate, rule, context.clock);
  try {
    const readiness = await keeper.ready(signal);
    if (readiness.kind !== 'ready') {
      const failure = diagnoseStart(readiness, rule, candidate.log());
      const outcome = { result: emptyResult(), crashes: 0, log: candidate.log(), readyMs: undefined };
      return withTrouble({ ...outcome, failure }, await sidecars.trouble());
    }
    const input = {
      v: PROTOCOL_VERSION,
      stage: plan.name,
      target: { address: readiness.address, port: service.port },
      seed: stageSeed(context.seed, plan.name),
      deadlineMs: task.deadlineMs,
      plan: task.plan,
    } as const;
    // A control request may wait for a whole start before the events behind it are read.
    const graceMs = GRADER_GRACE_MS + rule.withinMs;
    const session = {
      input,
      keeper,
      onProgress: context.onProgress,
      graceMs,
      ...referenceOption(plan, task, { ...context, keeper }, signal),
    };
    const result = withJunit(await runSession(await context.starting, session, signal), plan);
    const { crashes } = keeper;
    return withTrouble(
      { result, failure: undefined, crashes, log: candidate.log(), readyMs: readiness.afterMs },
      await sidecars.trouble(),
    );
  } finally {
    // What stays goes with the pod, and must not cost the result.
    await candidate.remove().catch(() => undefined);
  }
}

/** For a task with limits relative to the reference. After the test it takes the place of service and databases. */
function referenceOption(
  plan: StagePlan,
  task: GraderTask,
  context: CalibratedContext & { sidecars: Sidecars; keeper: CandidateKeeper },
  signal: AbortSignal,
): Pick<SessionOptions, 'takeTurn' | 'measureReference'> {
  const { reference, keeper, sidecars } = context;
  const need = task.calibrate?.reference ?? 'nothing';
  if (need === 'nothing' || !reference) {
    return {};
  }
  let measured: ReturnType<typeof measureAgain> | undefined;
  async function makeRoom(): Promise<void> {
    await keeper.retire();
    // A database goes on tidying up after a test, on the CPU of the service.
    await sidecars.remove();
  }
  return {
    ...(task.calibrate?.turns === true && {
      takeTurn: async () => await takeTurn(reference, context, signal),
    }),
    measureReference: async () => await (measured ??= measureAgain(plan, need, makeRoom, context, signal)),
  };
}

/** A turn that fails costs the search for the knee its reference, and nothing else. */
async function takeTurn(
  reference: ReferenceService,
  { keeper, sidecars }: { keeper: CandidateKeeper; sidecars: Sidecars },
  signal: AbortSignal,
): Promise<ReferenceTurn | undefined> {
  async function turn(): Promise<ReferenceTurn | undefined> {
    try {
      return await reference.turn(signal);
    } catch (error) {
      if (isReferenceFailure(error)) {
        return undefined;
      }
      throw error;
    }
  }
  return await keeper.hold(() => sidecars.hold(turn));
}

/** What a service without its database did says nothing about the service, unless it ended the database itself. */
function withTrouble(outcome: TaskOutcome, trouble: Failure | undefined): TaskOutcome {
  if (trouble?.blame === 'infra') {
    return {
      ...outcome,
      result: { ...emptyResult(), error: trouble.message, ours: true },
      failure: undefined,
    };
  }
  return trouble ? { ...outcome, failure: trouble } : outcome;
}

async function startCandidate(
  plan: StagePlan,
  context: StageContext & { sidecars: Sidecars },
  signal: AbortSignal,
): Promise<Candidate> {
  const { limits, data, port } = context.service;
  return await context.pod.startCandidate(
    {
      image: context.image,
      command: context.start,
      workdir: WORKDIR,
      env: { PORT: String(port), ...context.sidecars.env },
      limits: {
        cpus: limits.cpus,
        memoryBytes: limits.memory,
        pids: limits.pids,
        files: limits.files,
        wallMs: limits.wall,
      },
      ...(data ? { data: { path: data.path, sizeBytes: data.size } } : {}),
      ...serviceCpuset(plan, context),
    },
    signal,
  );
}

/** Known by now: every grader and sidecar of the stage was started from them. */
async function graderImages(
  plan: StagePlan,
  context: StageContext,
  signal: AbortSignal,
): Promise<Record<string, ImageId>> {
  const images: Record<string, ImageId> = {};
  for (const task of plan.tasks) {
    const { name, image } = await graderImage(task, context, signal);
    images[name] = image;
  }
  for (const name of context.service.uses) {
    images[name] = await context.engine.image(name, signal);
  }
  return images;
}

function stageSeed(seed: string, stage: string): string {
  return `${seed}:${stage}`;
}
