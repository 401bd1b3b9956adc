import { AssayError } from '../domain/errors.ts';
import type { Failure } from '../domain/report.ts';
import type { RunFacts } from '../report/run-facts.ts';
import type { EngineFacts, ImageId, LogCapture } from '../sandbox/sandbox-engine.ts';
import type { SubmissionBuild } from './build-submission.ts';
import type { GradeDeps, GradeRequest } from './grade-run.ts';
import type { Artifact } from './grader-session.ts';
import type { StagePlan } from './stages/stage-plan.ts';
import type { StageOutcome } from './run-stage.ts';

const SERVICE_LOG_CHARS = 64 * 1024;

/** Gathers the facts of one run while it goes on; whatever ends the run, what was gathered can be reported. */
export class RunRecord {
  /** What ended the run early. */
  runFailure: Failure | undefined;
  readonly artifacts: Artifact[] = [];
  readonly #request: GradeRequest;
  readonly #stages: readonly StagePlan[];
  readonly #deps: GradeDeps;
  readonly #startedAt: Date;
  readonly #beganMs: number;
  readonly #timeline: RunFacts['run']['timeline'] = [];
  readonly #outcomes: StageOutcome[] = [];
  readonly #images: Record<string, ImageId> = {};
  #engine: EngineFacts | undefined;
  #build: RunFacts['build'] = null;
  #canceled = false;
  readonly #remarks: string[] = [];

  constructor(request: GradeRequest, stages: readonly StagePlan[], deps: GradeDeps) {
    this.#request = request;
    this.#stages = stages;
    this.#deps = deps;
    this.#startedAt = deps.clock.now();
    this.#beganMs = deps.clock.elapsedMs();
  }

  /** Runs one phase and puts it on the timeline, however it ends. */
  async phase<T>(phase: string, work: () => Promise<T>): Promise<T> {
    const startMs = this.#deps.clock.elapsedMs() - this.#beganMs;
    this.#deps.onProgress({ kind: 'phase', phase, state: 'begin' });
    try {
      return await work();
    } finally {
      const durationMs = this.#deps.clock.elapsedMs() - this.#beganMs - startMs;
      this.#timeline.push({ phase, startMs, durationMs });
      this.#deps.onProgress({ kind: 'phase', phase, state: 'end' });
    }
  }

  environment(engine: EngineFacts): void {
    this.#engine = engine;
  }

  image(name: string, id: ImageId): void {
    this.#images[name] = id;
  }

  /** Something of ours that a reader should know. */
  remark(text: string): void {
    this.#remarks.push(text);
  }

  build(outcome: SubmissionBuild): void {
    this.#build = {
      cached: outcome.ok && outcome.cached,
      durationMs: outcome.wallMs,
      log: outcome.log.text,
      truncated: outcome.log.truncated,
    };
  }

  stage(outcome: StageOutcome): void {
    this.#outcomes.push(outcome);
    this.artifacts.push(...outcome.artifacts);
    Object.assign(this.#images, outcome.images);
  }

  /** Files an error that ended the run: an abort cancels it, anything else is ours unless it says otherwise. */
  failure(error: unknown, signal: AbortSignal): void {
    if (signal.aborted) {
      this.#canceled = true;
      return;
    }
    if (error instanceof AssayError && error.blame !== 'infra') {
      throw error;
    }
    const code = error instanceof AssayError ? error.code : 'INTERNAL';
    const message = error instanceof Error ? error.message : String(error);
    const hint = error instanceof AssayError ? error.mend : undefined;
    this.runFailure = { code, blame: 'infra', message, ...(hint === undefined ? {} : { hint }) };
  }

  facts(): RunFacts {
    const { challenge, submission, startPlan } = this.#request;
    const finishedAt = this.#deps.clock.now();
    return {
      run: {
        id: this.#request.runId,
        startedAt: this.#startedAt.toISOString(),
        finishedAt: finishedAt.toISOString(),
        durationMs: this.#deps.clock.elapsedMs() - this.#beganMs,
        seed: this.#request.seed,
        visibleOnly: this.#request.selection.visibleOnly,
        timeline: this.#timeline,
      },
      challenge: {
        slug: challenge.file.slug,
        title: challenge.file.title,
        digest: challenge.digest,
        passScore: challenge.file.pass.score,
        stages: this.#stages,
      },
      submission: {
        digest: submission.digest,
        files: submission.files.length,
        bytes: submission.files.reduce((sum, file) => sum + file.bytes, 0),
        notices: [...submission.notices, ...startPlan.notices],
      },
      startPlan,
      environment: this.#environmentFacts(),
      build: this.#build,
      service: this.#serviceFacts(),
      stages: this.#outcomes.map((outcome) => outcome.facts),
      ...(this.runFailure === undefined ? {} : { failure: this.runFailure }),
      canceled: this.#canceled,
      remarks: this.#remarks,
    };
  }

  #environmentFacts(): RunFacts['environment'] {
    const { limits, data } = this.#request.challenge.file.service;
    const engine = this.#engine;
    return {
      assay: this.#deps.version,
      engine: engine ? `${engine.engine} ${engine.version}` : 'unknown',
      runtime: engine?.runtime ?? 'unknown',
      storageDriver: engine?.storageDriver ?? 'unknown',
      cgroupVersion: engine?.cgroupVersion ?? 'unknown',
      kernel: engine?.kernel ?? 'unknown',
      cpus: engine?.cpus ?? 0,
      memoryBytes: engine?.memoryBytes ?? 0,
      images: { ...this.#images },
      limits: {
        cpus: limits.cpus,
        memoryBytes: limits.memory,
        pids: limits.pids,
        files: limits.files,
        ...(data ? { dataBytes: data.size } : {}),
      },
    };
  }

  #serviceFacts(): RunFacts['service'] {
    const logs = this.#outcomes.flatMap((outcome) => outcome.logs);
    if (logs.length === 0) {
      return null;
    }
    const joined = joinServiceLogs(this.#outcomes);
    return {
      readyMs: this.#outcomes[0]?.readyMs ?? null,
      log: joined.slice(0, SERVICE_LOG_CHARS),
      logTruncated: joined.length > SERVICE_LOG_CHARS || logs.some((log) => log.truncated),
      logThrottled: logs.some((log) => log.throttled),
      logBytes: logs.reduce((sum, log) => sum + log.totalBytes, 0),
    };
  }
}

/** One text with a heading for each stage; every stage gets an equal share, the tail of its log. */
function joinServiceLogs(outcomes: readonly StageOutcome[]): string {
  const share = Math.floor(SERVICE_LOG_CHARS / Math.max(1, outcomes.length)) - 100;
  return outcomes
    .map((outcome) => {
      const text = outcome.logs.map((log: LogCapture) => log.text).join('\n');
      return `--- ${outcome.facts.name} ---\n${text.slice(-share)}`;
    })
    .join('\n');
}
