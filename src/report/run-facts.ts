import type { Check, Metric } from '../domain/grader-protocol.ts';
import type { Failure, LoadResult, Report } from '../domain/report.ts';
import type { StartPlan } from '../domain/submission.ts';

/** A check that a stage was to run, known before it ran. */
export type PlannedCheck = Pick<Check, 'id' | 'name' | 'suite' | 'maxPoints' | 'skill' | 'visibility'>;

/** A stage that this run was to go through, in order. */
export interface PlannedStage {
  name: string;
  weight: number;
  /** All its checks; those that no grader reported are filled in (see `completeChecks`). */
  checks: readonly PlannedCheck[];
}

/** What one stage that was begun came to. */
export interface StageFacts {
  name: string;
  durationMs: number;
  seed: string;
  /** As the grader reported them, in order; a later report of one id replaces an earlier one. */
  checks: readonly Check[];
  metrics: readonly Metric[];
  load?: LoadResult;
  /** Why the stage could not go on to its end. */
  failure?: Failure;
  /** The grader's own word that it could not measure properly. */
  inconclusive?: string;
  /** How often the service had to be started again after a crash. */
  crashes: number;
}

/** Everything a run gathered. The report is a pure function of it. */
export interface RunFacts {
  /** `startedAt` and `finishedAt` are ISO 8601; timeline times are ms since the start. */
  run: Report['run'];
  challenge: {
    slug: string;
    title: string;
    digest: string;
    /** Out of 100. */
    passScore: number;
    stages: readonly PlannedStage[];
  };
  submission: { digest: string; files: number; bytes: number; notices: readonly string[] };
  /** Null when no way to start the service was found. */
  startPlan: StartPlan | null;
  environment: Report['environment'];
  /** Null when the run ended before the build. */
  build: Report['build'];
  /** Null when the service was never started. */
  service: Report['service'];
  /** Stages that were begun, in order. */
  stages: readonly StageFacts[];
  /** What ended the run early. Blame `candidate` or `limit` makes it `failed`, `infra` or `spec` `errored`. */
  failure?: Failure;
  canceled: boolean;
  /** Things of ours that a reader should know, one sentence each. */
  remarks: readonly string[];
}
