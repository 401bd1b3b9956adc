import { z } from 'zod';
import type { RubricItem } from '../../domain/challenge.ts';
import { VerdictSchema } from '../../domain/verdict.ts';
import type { CohortEntry, Review } from '../../store/review-store.ts';
import type { App } from '../app-types.ts';
import { audit } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { IdParams, SlugParams, VersionNumber } from '../schemas/common.ts';
import { iso } from '../schemas/time.ts';
import { mayReview, visibleSubmission } from '../visible.ts';

const Decision = z.enum(['advance', 'hold', 'decline']).nullable();
const Scores = z.record(z.string().max(100), z.number().int().min(0).max(4));

const ReviewBody = z
  .object({
    id: z.string(),
    reviewer: z.string(),
    mine: z.boolean(),
    scores: Scores,
    notes: z.string(),
    decision: Decision,
    createdAt: z.string(),
    updatedAt: z.string(),
  })
  .meta({ id: 'Review' });

const CohortBody = z
  .object({
    count: z.number().int(),
    verdicts: z.record(VerdictSchema, z.number().int()),
    score: z
      .object({ min: z.number(), p25: z.number(), median: z.number(), p75: z.number(), max: z.number() })
      .nullable(),
    entries: z.array(
      z.object({
        runId: z.string(),
        submissionId: z.string(),
        verdict: VerdictSchema.nullable(),
        score: z.number().nullable(),
        finishedAt: z.string(),
      }),
    ),
  })
  .meta({ id: 'Cohort' });

/** What people think of a submission, and where it stands among the others. */
export function reviewRoutes(app: App, deps: HttpDeps): void {
  putRoute(app, deps);
  app.get(
    '/v1/submissions/:id/reviews',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'All reviews of a submission: who else looked, and what they found',
        params: IdParams,
        response: { 200: z.object({ items: z.array(ReviewBody) }) },
      },
    },
    async (request) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const { tokenId } = callerOf(request);
      const reviews = await deps.store.reviews.list(submission.id);
      return { items: reviews.map((review) => toReviewBody(review, tokenId)) };
    },
  );
  cohortRoute(app, deps);
}

function putRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/submissions/:id/reviews',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Write your review, or replace it; scores are by item of the rubric, 0 to 4',
        params: IdParams,
        body: z.strictObject({
          scores: Scores.default({}),
          notes: z.string().max(20_000).default(''),
          decision: Decision.default(null),
        }),
        response: { 200: ReviewBody },
      },
    },
    async (request) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const version = await deps.store.challenges.get(submission.versionId);
      checkScores(request.body.scores, version?.policy.rubric ?? []);
      const { tokenId, name } = callerOf(request);
      const review = await deps.store.reviews.put({
        submissionId: submission.id,
        tokenId,
        reviewer: name,
        ...request.body,
      });
      const { decision } = review;
      await audit(deps, request, 'review.write', `submission ${submission.id}`, { decision });
      return toReviewBody(review, tokenId);
    },
  );
}

function checkScores(scores: Readonly<Record<string, number>>, rubric: readonly RubricItem[]): void {
  const known = rubric.map(({ id }) => id);
  const unknown = Object.keys(scores).filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    const detail = known.length === 0 ? 'The rubric has no items.' : `The rubric has: ${known.join(', ')}.`;
    throw new Problem('INVALID_FIELDS', detail, {
      members: {
        errors: unknown.map((id) => ({
          in: 'body',
          field: `scores.${id}`,
          message: 'no item of the rubric',
        })),
      },
    });
  }
}

function toReviewBody(review: Review, tokenId: string): z.output<typeof ReviewBody> {
  return {
    id: review.id,
    reviewer: review.reviewer,
    mine: review.tokenId === tokenId,
    scores: review.scores,
    notes: review.notes,
    decision: review.decision,
    createdAt: iso(review.createdAt),
    updatedAt: iso(review.updatedAt),
  };
}

function cohortRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/challenges/:slug/cohort',
    {
      config: { access: STAFF },
      schema: {
        tags: ['reviewer'],
        summary: 'Results of a challenge side by side, without names',
        params: SlugParams,
        querystring: z.strictObject({ version: VersionNumber.optional() }),
        response: { 200: CohortBody },
      },
    },
    async (request) => {
      const { slug } = request.params;
      if (!mayReview(callerOf(request), slug) || (await deps.store.challenges.versions(slug)).length === 0) {
        throw notFound('challenge');
      }
      return summarizeCohort(await deps.store.reviews.cohort(slug, request.query.version));
    },
  );
}

function summarizeCohort(entries: readonly CohortEntry[]): z.output<typeof CohortBody> {
  const verdicts = { passed: 0, partial: 0, failed: 0, inconclusive: 0 };
  for (const { verdict } of entries) {
    if (verdict !== null) {
      verdicts[verdict] += 1;
    }
  }
  const scores = entries.flatMap(({ score }) => score ?? []).sort((a, b) => a - b);
  function quantile(share: number): number {
    return scores[Math.min(scores.length - 1, Math.floor(share * scores.length))] ?? 0;
  }
  return {
    count: entries.length,
    verdicts,
    score:
      scores.length === 0
        ? null
        : {
            min: quantile(0),
            p25: quantile(0.25),
            median: quantile(0.5),
            p75: quantile(0.75),
            max: quantile(1),
          },
    entries: entries.map((entry) => ({ ...entry, finishedAt: iso(entry.finishedAt) })),
  };
}
