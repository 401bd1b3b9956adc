import { z } from 'zod';
import { FeedbackSchema, RubricItemSchema } from '../../domain/challenge.ts';
import type { ChallengeVersion } from '../../store/challenge-store.ts';
import { iso, isoOrNull } from './time.ts';

export const VersionBody = z
  .object({
    slug: z.string(),
    version: z.number().int(),
    title: z.string(),
    blind: z.boolean(),
    digest: z.string().describe('Of the files that grading depends on; names the version for good'),
    state: z.enum(['draft', 'published', 'retired']),
    attempts: z.object({
      max: z.number().int(),
      windowMs: z.number(),
      dryRuns: z.number().int(),
      late: z.enum(['refuse', 'accept-marked']),
    }),
    feedback: FeedbackSchema,
    rubric: z.array(RubricItemSchema),
    check: z
      .object({ runId: z.string(), ok: z.boolean(), finishedAt: z.string() })
      .nullable()
      .describe('The newest finished check: references in full, broken samples exact'),
    createdAt: z.string(),
    publishedAt: z.string().nullable(),
  })
  .meta({ id: 'ChallengeVersion' });

/** A version as staff see it. */
export function toVersionBody(version: ChallengeVersion): z.output<typeof VersionBody> {
  const { max, windowMs, dryRuns, late, feedback, rubric } = version.policy;
  return {
    slug: version.slug,
    version: version.version,
    title: version.title,
    blind: version.blind,
    digest: version.digest,
    state: version.state,
    attempts: { max, windowMs, dryRuns, late },
    feedback,
    rubric,
    check: version.check && { ...version.check, finishedAt: iso(version.check.finishedAt) },
    createdAt: iso(version.createdAt),
    publishedAt: isoOrNull(version.publishedAt),
  };
}
