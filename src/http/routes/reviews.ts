import { z } from 'zod';
import type { RubricItem } from '../../domain/challenge.ts';
import { VerdictSchema } from '../../domain/verdict.ts';
import type { Cohort, Review } from '../../store/review-store.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, STAFF } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { IdParams, PageQuery, SlugParams, VersionNumber } from '../schemas/common.ts';
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
    nextCursor: z.string().nullable().describe('For more entries; the numbers are of all'),
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
      const order = { submissionId: submission.id, tokenId, reviewer: name, ...request.body };
      const review = await audited(
        deps,
        request,
        (store) => store.reviews.put(order),
        ({ decision }) => ['review.write', `submission ${submission.id}`, { decision }],
      );
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
        querystring: PageQuery.extend({ version: VersionNumber.optional() }),
        response: { 200: CohortBody },
      },
    },
    async (request) => {
      const { slug } = request.params;
      if (!mayReview(callerOf(request), slug) || (await deps.store.challenges.versions(slug)).length === 0) {
        throw notFound('challenge');
      }
      const { version, limit, cursor } = request.query;
      return toCohortBody(
        await deps.store.reviews.cohort(slug, version, {
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        }),
      );
    },
  );
}

function toCohortBody({ count, verdicts, score, entries }: Cohort): z.output<typeof CohortBody> {
  const [min = 0, p25 = 0, median = 0, p75 = 0, max = 0] = (score ?? []).map((each) =>
    Number(each.toFixed(1)),
  );
  return {
    count,
    verdicts: { passed: 0, partial: 0, failed: 0, inconclusive: 0, ...verdicts },
    score: score && { min, p25, median, p75, max },
    entries: entries.items.map((entry) => ({ ...entry, finishedAt: iso(entry.finishedAt) })),
    nextCursor: entries.nextCursor,
  };
}
