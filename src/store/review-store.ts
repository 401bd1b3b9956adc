import type { Verdict } from '../domain/verdict.ts';
import type { Page, PageRequest } from './page.ts';

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

/** Newest completed run of a counted submission of a challenge: anonymous numbers. */
export interface CohortEntry {
  runId: string;
  submissionId: string;
  verdict: Verdict | null;
  score: number | null;
  finishedAt: Date;
}

/** All submissions of a challenge, side by side. */
export interface Cohort {
  count: number;
  /** Verdicts that nobody got are left out. */
  verdicts: Partial<Record<Verdict, number>>;
  /** Minimum, quartiles and maximum; null without scores. */
  score: [number, number, number, number, number] | null;
  entries: Page<CohortEntry>;
}

export interface ReviewStore {
  /** One review per reviewer and submission; a second call replaces it. A decision writes `review.decided` webhooks. */
  put(
    review: Pick<Review, 'submissionId' | 'tokenId' | 'reviewer' | 'scores' | 'notes' | 'decision'>,
  ): Promise<Review>;
  list(submissionId: string): Promise<Review[]>;
  cohort(slug: string, version: number | undefined, page: PageRequest): Promise<Cohort>;
}
