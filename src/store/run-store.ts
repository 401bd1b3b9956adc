import type { Failure, Report } from '../domain/report.ts';
import type { RunKind, RunState } from '../domain/run.ts';
import type { Verdict } from '../domain/verdict.ts';

/** One grading of one submission against one spec version, or one check of a version. */
export interface Run {
  id: string;
  /** Null for checks. */
  submissionId: string | null;
  versionId: string;
  kind: RunKind;
  state: RunState;
  /** Raised each time the run is queued again; results of an older epoch are refused. */
  epoch: number;
  worker: string | null;
  /** Worker deaths and infrastructure failures so far. */
  failures: number;
  seed: string;
  /** Stage or "build" that goes on now. */
  phase: string | null;
  verdict: Verdict | null;
  score: number | null;
  /** Names of the stages in the report of a grading; null where it is not known. */
  stages: string[] | null;
  /** The run whose result this one is compared with, for re-grades. */
  previousRunId: string | null;
  /** Why an `errored` or `canceled` run ended, for people. */
  reason: string | null;
  createdAt: Date;
  startedAt: Date | null;
  finishedAt: Date | null;
  /** When each phase began and ended, ms since the epoch. */
  phases: { phase: string; beganAt: number; endedAt: number | null }[];
}

export type QueuedRun = Pick<Run, 'epoch' | 'kind'> & { runId: string };

export interface Lease {
  run: Run;
  epoch: number;
}

export interface StoredArtifact {
  name: string;
  contentType: string;
  blob: string;
  bytes: number;
}

export interface RunResult {
  state: 'completed' | 'errored' | 'canceled';
  verdict: Verdict | null;
  score: number | null;
  reason: string | null;
  failure: Failure | null;
  /** A Report, or for checks a CheckReport. */
  report: Report | object | null;
  artifacts: StoredArtifact[];
}

export interface OutcomeFacts {
  /** Completed gradings by verdict. */
  verdicts: Record<string, number>;
  /** Gradings that ended with a failure, by whose it is. */
  failures: Record<string, number>;
  /** Of runs that ended within the last hour. */
  stages: { stage: string; runs: number; p50Ms: number; p95Ms: number }[];
}

/**
 * Runs and who works on them. Only the database's clock is compared; every change by a worker is guarded by
 * (run, epoch, worker), and one that no longer holds the lease changes nothing and is told so.
 */
export interface RunStore {
  get(id: string): Promise<Run | undefined>;
  listOfSubmission(submissionId: string): Promise<Run[]>;
  /** The stored result; undefined while there is none or after deletion. */
  result(runId: string): Promise<{ report: Report | object | null; artifacts: StoredArtifact[] } | undefined>;

  /** Queues another run of a submission (one transaction with its outbox row). */
  regrade(submissionId: string, versionId: string): Promise<Run>;
  /** Queues a check of a version, or answers the one that is queued or running. */
  check(versionId: string): Promise<Run>;
  /** The check of a version that is queued or running. */
  checkOf(versionId: string): Promise<Run | undefined>;
  /** Queues a re-grade of every counted submission of the slug's versions; answers how many. */
  regradeAll(slug: string, versionId: string): Promise<number>;
  /** Asks for the end: a queued run is canceled at once; a running one at its worker's next heartbeat. False: it had ended. */
  cancel(runId: string, reason: string): Promise<boolean>;

  /** Takes a queued run of this epoch. Undefined: somebody else has it, it ended, or the epoch is old. */
  lease(runId: string, epoch: number, worker: string, leaseMs: number): Promise<Lease | undefined>;
  /** `lost`: stop and remove everything. `cancel`: the same, then `finish` as canceled. */
  heartbeat(runId: string, epoch: number, worker: string, leaseMs: number): Promise<'ok' | 'lost' | 'cancel'>;
  phase(runId: string, epoch: number, worker: string, phase: string, state: 'begin' | 'end'): Promise<void>;
  /**
   * Result, run state, refund of the attempt when `errored`, check mark of a version, `end` event and webhook rows in
   * one transaction. False: not our lease any more, nothing was written.
   */
  finish(runId: string, epoch: number, worker: string, result: RunResult): Promise<boolean>;
  /**
   * Gives a run back: queued again with the next epoch and an outbox row, after `delayMs`. `countsAsFailure` raises
   * `failures`; past `maxFailures` the run ends as `errored` instead. False: not our lease any more.
   */
  release(
    runId: string,
    epoch: number,
    worker: string,
    options: { countsAsFailure: boolean; maxFailures: number; delayMs: number; reason: string },
  ): Promise<boolean>;

  /** Re-queues runs whose lease ran out (a worker died) and queued runs whose delivery is older than `staleMs`. One reconciler at a time. */
  reconcile(options: {
    maxFailures: number;
    staleMs: number;
  }): Promise<{ requeued: string[]; errored: string[] }>;
  /** (run, epoch) of every live lease, for telling orphaned containers. */
  liveLeases(): Promise<{ runId: string; epoch: number }[]>;
  /**
   * Hands outbox rows that are due to `send`, re-grades last, else oldest first, and marks those that went well. At
   * least once. Answers how many went.
   */
  relay(limit: number, send: (delivery: QueuedRun) => Promise<void>): Promise<number>;
  /** Counts by state, and the age of the oldest queued run, ms. */
  queueFacts(): Promise<{ counts: Record<RunState, number>; oldestQueuedMs: number | null }>;
  /** What came of all gradings so far, and how long their stages took. */
  outcomeFacts(): Promise<OutcomeFacts>;
  /** Queued runs before this one, 0 = next; undefined when it is not queued. */
  positionOf(runId: string): Promise<number | undefined>;
  /** Whether a submission's own run, counted or dry, is queued. */
  submissionsWait(): Promise<boolean>;
}
