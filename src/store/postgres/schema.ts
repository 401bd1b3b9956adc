import type { ColumnType, Generated } from 'kysely';
import type { Role } from '../../domain/access.ts';
import type { Failure } from '../../domain/report.ts';
import type { RunEvent, RunKind, RunState } from '../../domain/run.ts';
import type { SubmissionFile } from '../../domain/submission.ts';
import type { Verdict } from '../../domain/verdict.ts';
import type { VersionPolicy, VersionState } from '../challenge-store.ts';
import type { WorkerInfo } from '../operations-store.ts';
import type { Review } from '../review-store.ts';
import type { Run, RunResult, StoredArtifact } from '../run-store.ts';
import type { WebhookDelivery, WebhookEvent } from '../webhook-store.ts';

/** A JSON column: read parsed, written as text (the driver would take an array for an array of the database). */
type Json<T> = ColumnType<T, string, string>;

/** Tables in camelCase; the columns are the same words in snake_case. Meanings stand at the ports. */
export interface Database {
  candidates: {
    id: Generated<string>;
    name: string | null;
    email: string | null;
    createdAt: Generated<Date>;
    deletedAt: Date | null;
  };
  challengeVersions: {
    id: Generated<string>;
    slug: string;
    version: number;
    title: string;
    blind: boolean;
    digest: string;
    bundleBlob: string;
    policy: Json<VersionPolicy>;
    state: Generated<VersionState>;
    checkRunId: string | null;
    checkOk: boolean | null;
    checkFinishedAt: Date | null;
    createdAt: Generated<Date>;
    publishedAt: Date | null;
  };
  invitations: {
    id: Generated<string>;
    candidateId: string;
    versionId: string;
    opensAt: Date;
    closesAt: Date;
    maxAttempts: number;
    maxDryRuns: number;
    late: 'refuse' | 'accept-marked';
    releasedAt: Date | null;
    revokedAt: Date | null;
    createdAt: Generated<Date>;
  };
  tokens: {
    id: Generated<string>;
    role: Role;
    name: string;
    invitationId: string | null;
    hash: string;
    challenges: string[] | null;
    createdAt: Generated<Date>;
    expiresAt: Date | null;
    revokedAt: Date | null;
    lastUsedAt: Date | null;
  };
  submissions: SubmissionTable;
  runs: RunTable;
  results: {
    runId: string;
    epoch: number;
    worker: string;
    failure: Json<Failure | null> | null;
    report: Json<object> | null;
    artifacts: Json<StoredArtifact[]>;
    createdAt: Generated<Date>;
  };
  /** Which blobs results refer to, beside `results.artifacts`, for telling unused blobs quickly. */
  artifacts: { runId: string; blob: string };
  runEvents: { runId: string; seq: number; at: Generated<Date>; event: Json<RunEvent> };
  /** `later`: behind all that are not. */
  outbox: {
    id: Generated<string>;
    runId: string;
    epoch: number;
    dueAt: Generated<Date>;
    later: Generated<boolean>;
  };
  webhooks: {
    id: Generated<string>;
    url: string;
    events: WebhookEvent[];
    secret: string;
    createdAt: Generated<Date>;
  };
  webhookDeliveries: {
    id: Generated<string>;
    webhookId: string;
    event: WebhookEvent;
    payload: Json<object>;
    state: Generated<WebhookDelivery['state']>;
    attempts: Generated<number>;
    lastStatus: number | null;
    lastError: string | null;
    nextAttemptAt: Date | null;
    createdAt: Generated<Date>;
    deliveredAt: Date | null;
  };
  reviews: {
    id: Generated<string>;
    submissionId: string;
    tokenId: string;
    reviewer: string;
    scores: Json<Record<string, number>>;
    notes: string;
    decision: Review['decision'];
    createdAt: Generated<Date>;
    updatedAt: Generated<Date>;
  };
  audit: {
    id: Generated<string>;
    at: Generated<Date>;
    actorId: string | null;
    actor: string;
    action: string;
    object: string;
    details: Json<object>;
  };
  workers: {
    id: string;
    host: string;
    version: string;
    slots: number;
    busy: number;
    state: WorkerInfo['state'];
    reason: string | null;
    drain: Generated<boolean>;
    startedAt: Generated<Date>;
    seenAt: Generated<Date>;
  };
}

interface SubmissionTable {
  id: Generated<string>;
  invitationId: string;
  versionId: string;
  candidateId: string;
  slug: string;
  dryRun: boolean;
  attempt: number;
  late: boolean;
  refunded: Generated<boolean>;
  uploadBlob: string | null;
  uploadBytes: number;
  tarBlob: string | null;
  digest: string;
  files: Json<SubmissionFile[]>;
  notices: Json<string[]>;
  idempotencyKey: string | null;
  bodyDigest: string | null;
  createdAt: Generated<Date>;
  /** What lists show of the newest run; kept by a trigger of `runs`. */
  runId: string | null;
  runState: RunState | null;
  runVerdict: Verdict | null;
  runScore: number | null;
  runFinishedAt: Date | null;
}

interface RunTable {
  id: Generated<string>;
  submissionId: string | null;
  versionId: string;
  kind: RunKind;
  state: Generated<RunState>;
  epoch: Generated<number>;
  worker: string | null;
  leaseUntil: Date | null;
  /** Somebody asked for the end of a running run. */
  cancelReason: string | null;
  failures: Generated<number>;
  seed: string;
  phase: string | null;
  phases: Json<Run['phases']>;
  verdict: RunResult['verdict'];
  score: number | null;
  /** Of the report of a grading; null without one, and for what ended before they were noted. */
  stages: string[] | null;
  previousRunId: string | null;
  reason: string | null;
  /** The newest event's number. */
  lastSeq: Generated<number>;
  queuedAt: Generated<Date>;
  /** When the queue last took it. */
  deliveredAt: Date | null;
  createdAt: Generated<Date>;
  startedAt: Date | null;
  finishedAt: Date | null;
}
