import type { Feedback, RubricItem, RuntimeName } from '../domain/challenge.ts';

/** Lifecycle of a version: `draft` until checked and published; `retired` takes no new invitations. */
export type VersionState = 'draft' | 'published' | 'retired';

export interface ChallengeVersion {
  id: string;
  slug: string;
  /** Counts from 1 within a slug. */
  version: number;
  title: string;
  blind: boolean;
  /** "sha256:…" of the files that grading depends on; names the version for good. */
  digest: string;
  /** Blob of the canonical tar of the bundle. */
  bundleBlob: string;
  /** What challenge.yaml says about attempts, uploads, feedback and reviews, as parsed when uploaded. */
  policy: VersionPolicy;
  state: VersionState;
  /** The newest finished check of this version, null before. */
  check: { runId: string; ok: boolean; finishedAt: Date } | null;
  createdAt: Date;
  publishedAt: Date | null;
}

export interface AttemptPolicy {
  max: number;
  windowMs: number;
  dryRuns: number;
  late: 'refuse' | 'accept-marked';
}

/** Plain JSON: kept as one document. */
export interface VersionPolicy extends AttemptPolicy {
  /** What a submission may be written for. */
  runtimes: RuntimeName[];
  feedback: Feedback;
  rubric: RubricItem[];
}

/** Immutable versions of challenges. */
export interface ChallengeStore {
  /** Adds a version, or answers the one that has this digest already (`created: false`). */
  addVersion(version: NewVersion): Promise<{ version: ChallengeVersion; created: boolean }>;
  /** Newest version of each slug. */
  list(): Promise<ChallengeVersion[]>;
  versions(slug: string): Promise<ChallengeVersion[]>;
  find(slug: string, version: number): Promise<ChallengeVersion | undefined>;
  get(id: string): Promise<ChallengeVersion | undefined>;
  /** The highest published version. */
  newestPublished(slug: string): Promise<ChallengeVersion | undefined>;
  /** Changes the state; answers undefined when the version is not in one of `from`. */
  setState(
    id: string,
    from: readonly VersionState[],
    to: VersionState,
  ): Promise<ChallengeVersion | undefined>;
}

export type NewVersion = Pick<
  ChallengeVersion,
  'slug' | 'title' | 'blind' | 'digest' | 'bundleBlob' | 'policy'
>;
