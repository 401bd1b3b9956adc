import type { Principal, Role } from '../domain/access.ts';
import type { Page, PageRequest } from './page.ts';

/** One candidate, one challenge version, a window, an attempt limit. */
export interface Invitation {
  id: string;
  candidateId: string;
  /** Null after the candidate was deleted, and in blind challenges for reviewers (the HTTP layer's doing). */
  candidateName: string | null;
  candidateEmail: string | null;
  versionId: string;
  slug: string;
  version: number;
  opensAt: Date;
  /** Due: submissions after it are late. */
  closesAt: Date;
  maxAttempts: number;
  maxDryRuns: number;
  late: 'refuse' | 'accept-marked';
  /** Counted attempts and dry runs: those refunded for faults of ours are not in it. */
  usedAttempts: number;
  usedDryRuns: number;
  /** When feedback marked `after_published` was released. */
  releasedAt: Date | null;
  revokedAt: Date | null;
  createdAt: Date;
}

export interface NewInvitation {
  candidate: { name: string; email: string | null };
  versionId: string;
  opensAt: Date;
  closesAt: Date;
  maxAttempts: number;
  maxDryRuns: number;
  late: 'refuse' | 'accept-marked';
  /** sha256 of the invitation's token; it expires some time after `closesAt`. */
  tokenHash: string;
  tokenExpiresAt: Date;
}

export interface Token {
  id: string;
  role: Role;
  name: string;
  invitationId: string | null;
  challenges: string[] | null;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}

export interface NewToken {
  role: Role;
  name: string;
  /** Hex sha256 of the secret; the secret itself is stored nowhere. */
  hash: string;
  challenges: readonly string[] | null;
  expiresAt: Date | null;
}

export interface AccessStore {
  /** Who holds this token, or undefined when it is unknown, expired or revoked. Notes the use at most once a minute. */
  authenticate(hash: string): Promise<Principal | undefined>;
  addToken(token: NewToken): Promise<Token>;
  /** Newest first. Those of candidates only where asked for: each invitation has one. */
  listTokens(filter: { candidates: boolean }, page: PageRequest): Promise<Page<Token>>;
  /** Takes effect with the next request. False when there is no such token. */
  revokeToken(id: string): Promise<boolean>;
  setReviewerChallenges(tokenId: string, challenges: readonly string[] | null): Promise<boolean>;
  countAdmins(): Promise<number>;

  invite(invitation: NewInvitation): Promise<Invitation>;
  getInvitation(id: string): Promise<Invitation | undefined>;
  listInvitations(filter: { slug?: string }, page: PageRequest): Promise<Page<Invitation>>;
  /** Moves the end of the window (and the token's expiry with it), or grants extra attempts or dry runs. */
  extendInvitation(
    id: string,
    change: { closesAt?: Date; extraAttempts?: number; extraDryRuns?: number },
  ): Promise<Invitation | undefined>;
  releaseFeedback(id: string): Promise<Invitation | undefined>;
  revokeInvitation(id: string): Promise<Invitation | undefined>;
  /**
   * Removes name, e-mail, source, logs, reports and reviews of a candidate, and ends their tokens; anonymous
   * numbers (score, verdict, durations) stay. Answers blobs that nothing refers to any more; undefined: unknown.
   */
  deleteCandidate(candidateId: string): Promise<{ orphanedBlobs: string[] } | undefined>;
}
