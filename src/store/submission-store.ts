import type { RunState } from '../domain/run.ts';
import type { SubmissionFile } from '../domain/submission.ts';
import type { Verdict } from '../domain/verdict.ts';
import type { Page, PageRequest } from './page.ts';
import type { Run } from './run-store.ts';

export interface Submission {
  id: string;
  invitationId: string;
  versionId: string;
  slug: string;
  version: number;
  candidateId: string;
  candidateName: string | null;
  dryRun: boolean;
  /** Counts from 1 among the invitation's submissions of its sort (dry or not). */
  attempt: number;
  late: boolean;
  /** The attempt was given back: its run ended by a fault of ours. */
  refunded: boolean;
  /** Blob of the upload as it came, and of the canonical tar; null after deletion. */
  uploadBlob: string | null;
  uploadBytes: number;
  tarBlob: string | null;
  /** "sha256:…" of the canonical tar. */
  digest: string;
  files: SubmissionFile[];
  notices: string[];
  createdAt: Date;
}

export interface NewSubmission {
  invitationId: string;
  dryRun: boolean;
  upload: { key: string; bytes: number };
  tar: { key: string; bytes: number };
  digest: string;
  files: SubmissionFile[];
  notices: string[];
  /** Same key again: same body answers the same submission, another body is a conflict. */
  idempotency: { key: string; bodyDigest: string } | undefined;
}

/** Why a submission was not taken. No row was written, no attempt used. */
export type Refusal =
  | { kind: 'not-open'; opensAt: Date }
  | { kind: 'closed'; closesAt: Date }
  | { kind: 'no-attempts'; max: number; used: number }
  | { kind: 'revoked' }
  | { kind: 'idempotency-conflict' }
  | { kind: 'unknown' };

/** A submission in a list, with the state of its newest run, and verdict and score of the newest that completed. */
export interface SubmissionSummary {
  id: string;
  slug: string;
  version: number;
  candidateId: string;
  candidateName: string | null;
  blind: boolean;
  dryRun: boolean;
  attempt: number;
  late: boolean;
  createdAt: Date;
  run: {
    id: string;
    state: RunState;
    verdict: Verdict | null;
    score: number | null;
    finishedAt: Date | null;
  };
}

export interface SubmissionFilter {
  /** Slugs the caller may see; null = all. */
  challenges: readonly string[] | null;
  slug?: string;
  state?: RunState;
  verdict?: Verdict;
  minScore?: number;
  dryRuns?: boolean;
  sort: 'newest' | 'oldest' | 'score';
}

export interface SubmissionStore {
  /**
   * One transaction: the window and the limits are checked against the database's clock under a lock on the
   * invitation, then submission, first run (state `queued`, epoch 1), its outbox row and the `submission.received`
   * webhook rows are written. `replayed`: the idempotency key was known with the same body.
   */
  accept(
    submission: NewSubmission,
  ): Promise<
    { ok: true; submission: Submission; run: Run; replayed: boolean } | { ok: false; refusal: Refusal }
  >;
  /** Looks a key up before anything is uploaded. */
  findByIdempotencyKey(
    invitationId: string,
    key: string,
  ): Promise<{ submission: Submission; run: Run; bodyDigest: string } | undefined>;
  get(id: string): Promise<Submission | undefined>;
  listOfInvitation(invitationId: string): Promise<{ submission: Submission; run: Run }[]>;
  list(filter: SubmissionFilter, page: PageRequest): Promise<Page<SubmissionSummary>>;
}
