import type { Challenge } from '../domain/challenge.ts';
import type { Failure, Report } from '../domain/report.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import { assembleReport } from '../report/assemble.ts';
import type { ImageId, Pod, SandboxEngine } from '../sandbox/sandbox-engine.ts';
import type { Clock } from '../shared/clock.ts';
import { buildSubmission } from './build-submission.ts';
import { diagnoseBuild } from './diagnose.ts';
import type { Artifact } from './grader-session.ts';
import type { Grader } from './graders.ts';
import { findOwnImages } from './own-images.ts';
import type { OwnImages } from './own-images.ts';
import { planStages } from './plan-stages.ts';
import type { StageSelection } from './plan-stages.ts';
import type { OnProgress } from './progress.ts';
import type { ProjectPlan } from './project.ts';
import { RunRecord } from './run-record.ts';
import { runStage } from './run-stage.ts';
import type { StageContext } from './run-stage.ts';
import type { StagePlan } from './stages/stage-plan.ts';
import type { StageGate } from './stage-gate.ts';

export interface GradeRequest {
  runId: string;
  /** Fencing number of the lease; 0 outside the service. */
  epoch: number;
  /** Every random choice of the run derives from it. */
  seed: string;
  challenge: Challenge;
  submission: CanonicalSubmission;
  startPlan: ProjectPlan;
  /** Whose build caches may be used: one candidate's. */
  scope: string;
  selection: StageSelection;
}

export interface GradeDeps {
  engine: SandboxEngine;
  clock: Clock;
  /** Version of assay itself, for the report. */
  version: string;
  /** Digest of the package registries that builds use. */
  registriesDigest: (signal: AbortSignal) => Promise<string>;
  loadGrader: (name: string) => Promise<Grader>;
  onProgress: OnProgress;
  /** Where several gradings run at a time. */
  gate?: StageGate;
}

export interface GradedRun {
  report: Report;
  artifacts: Artifact[];
}

/**
 * One grading: build → start and readiness → the stages → report. A failing submission is a successful run with a
 * verdict; our own fault gives a report with the status `errored`; an abort one with `canceled` and what there was.
 * Throws only AssayError `NO_STAGE` and what `buildSubmission` refuses about the submission, before anything ran.
 */
export async function gradeRun(
  request: GradeRequest,
  deps: GradeDeps,
  signal: AbortSignal,
): Promise<GradedRun> {
  const stages = planStages(request.challenge, request.selection);
  const record = new RunRecord(request, stages, deps);
  const opening = deps.engine.openPod({ run: request.runId, epoch: request.epoch }, signal);
  opening.catch(() => undefined);
  try {
    const engine = await deps.engine.facts(signal);
    record.environment(engine);
    const ownImages = await findOwnImages(stages, deps.engine, signal);
    const image = await build(request, deps, record, signal);
    if (image !== undefined) {
      const found = { image, ownImages, pod: await opening, cpus: engine.cpus };
      const context = stageContext(request, deps, found);
      await runStages(stages, context, { deps, record }, signal);
    }
  } catch (error) {
    record.failure(error, signal);
  } finally {
    await destroyQuietly(opening, record);
  }
  return { report: assembleReport(record.facts()), artifacts: record.artifacts };
}

/** What could not be removed must not cost the result; the next sweep tries again. */
async function destroyQuietly(opening: Promise<Pod>, record: RunRecord): Promise<void> {
  const pod = await opening.catch(() => undefined);
  try {
    await pod?.destroy();
  } catch (error) {
    record.remark(
      `Something of this run could not be removed yet: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

/** The image to run, or undefined when the submission does not build. */
async function build(
  { challenge, submission, startPlan, scope, runId, epoch }: GradeRequest,
  deps: GradeDeps,
  record: RunRecord,
  signal: AbortSignal,
): Promise<ImageId | undefined> {
  const { limits, network } = challenge.file.build;
  const outcome = await inTurn(deps, record, { phase: 'build', alone: false }, signal, async () =>
    buildSubmission(
      deps.engine,
      {
        submission,
        plan: startPlan,
        network,
        registries: startPlan.install === null ? '' : await deps.registriesDigest(signal),
        limits: {
          cpus: limits.cpus,
          memoryBytes: limits.memory,
          pids: limits.pids,
          diskBytes: limits.disk,
          wallMs: limits.wall,
        },
        scope,
        run: { run: runId, epoch },
        onLog: (text) => deps.onProgress({ kind: 'log', source: 'build', text }),
      },
      signal,
    ),
  );
  record.build(outcome);
  if (!outcome.ok) {
    const step =
      outcome.steps.length > 1 || startPlan.install === null
        ? 'The build step'
        : 'Installing the dependencies';
    record.runFailure = diagnoseBuild(outcome, step);
    return undefined;
  }
  record.image('submission', outcome.image);
  return outcome.image;
}

/** Runs one phase when the gradings beside this one let it. Waiting for them is not part of its time. */
async function inTurn<T>(
  deps: GradeDeps,
  record: RunRecord,
  { phase, alone }: { phase: string; alone: boolean },
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  const leave = await deps.gate?.enter(alone, signal);
  try {
    return await record.phase(phase, work);
  } finally {
    leave?.();
  }
}

/** Runs the stages in order. When the service does not even start for the first, the others are not tried. */
async function runStages(
  plans: readonly StagePlan[],
  context: StageContext,
  { deps, record }: { deps: GradeDeps; record: RunRecord },
  signal: AbortSignal,
): Promise<void> {
  for (const [index, plan] of plans.entries()) {
    const turn = { phase: plan.name, alone: plan.exclusive };
    const outcome = await inTurn(deps, record, turn, signal, () => runStage(plan, context, signal));
    record.stage(outcome);
    const failure = outcome.facts.failure;
    if (index === 0 && failure !== undefined && neverStarted(failure) && outcome.facts.checks.length === 0) {
      record.runFailure = failure;
      return;
    }
  }
}

function stageContext(
  request: GradeRequest,
  deps: GradeDeps,
  found: { image: ImageId; ownImages: OwnImages; pod: Pod; cpus: number },
): StageContext {
  return {
    ...found,
    engine: deps.engine,
    start: request.startPlan.start,
    service: request.challenge.file.service,
    seed: request.seed,
    clock: deps.clock,
    loadGrader: deps.loadGrader,
    onProgress: deps.onProgress,
  };
}

function neverStarted(failure: Failure): boolean {
  return failure.code === 'START_FAILED' || failure.code === 'NOT_READY';
}
