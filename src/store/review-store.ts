import type { Verdict } from '../domain/verdict.ts';

export interface Review {
  id: string;
  submissionId: string;
  tokenId: string;
  reviewer: string;
  /** Rubric item → 0..4. */
  scores: Record<string, number>;
  notes: string;
  decision: 'advance' | 'hold' | 'decline' | null;
  createdAt: Date;
  updatedAt: Date;
}

/** Newest completed run of each counted submission of a challenge version: anonymous numbers. */
export interface CohortEntry {
  runId: string;
  submissionId: string;
  verdict: Verdict | null;
  score: number | null;
  finishedAt: Date;
}

export interface ReviewStore {
  /** One review per reviewer and submission; a second call replaces it. A decision writes `review.decided` webhooks. */
  put(
    review: Pick<Review, 'submissionId' | 'tokenId' | 'reviewer' | 'scores' | 'notes' | 'decision'>,
  ): Promise<Review>;
  list(submissionId: string): Promise<Review[]>;
  cohort(slug: string, version: number | undefined): Promise<CohortEntry[]>;
}
