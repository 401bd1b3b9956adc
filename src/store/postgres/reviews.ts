import { sql } from 'kysely';
import type { CohortEntry, Review, ReviewStore } from '../review-store.ts';
import type { Connection, Reader, Tx } from './connection.ts';
import { clock, idOf } from './values.ts';
import { queueWebhooks } from './webhook-rows.ts';

export function reviewStore(connection: Connection): ReviewStore {
  return {
    put: (review) => connection.write((tx) => put(tx, review)),
    list: (submissionId) =>
      connection.read((db) =>
        db
          .selectFrom('reviews')
          .selectAll()
          .where('submissionId', '=', idOf(submissionId))
          .orderBy('createdAt')
          .orderBy('id')
          .execute(),
      ),
    cohort: (slug, version) => connection.read((db) => cohort(db, slug, version)),
  };
}

async function put(tx: Tx, review: Parameters<ReviewStore['put']>[0]): Promise<Review> {
  const values = { ...review, scores: JSON.stringify(review.scores) };
  const before = await tx
    .selectFrom('reviews')
    .select('decision')
    .where('submissionId', '=', review.submissionId)
    .where('tokenId', '=', review.tokenId)
    .executeTakeFirst();
  const stored = await tx
    .insertInto('reviews')
    .values(values)
    .onConflict((conflict) =>
      conflict.columns(['submissionId', 'tokenId']).doUpdateSet({
        reviewer: values.reviewer,
        scores: values.scores,
        notes: values.notes,
        decision: values.decision,
        updatedAt: clock(),
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  if (stored.decision !== null && stored.decision !== before?.decision) {
    await queueWebhooks(tx, 'review.decided', {
      submission: { id: stored.submissionId },
      review: { id: stored.id, reviewer: stored.reviewer, decision: stored.decision },
    });
  }
  return stored;
}

async function cohort(db: Reader, slug: string, version: number | undefined): Promise<CohortEntry[]> {
  let rows = db
    .selectFrom('submissions')
    .innerJoin('runs', 'runs.submissionId', 'submissions.id')
    .innerJoin('challengeVersions', 'challengeVersions.id', 'runs.versionId')
    .distinctOn('submissions.id')
    .select([
      'runs.id as runId',
      'submissions.id as submissionId',
      'runs.verdict',
      'runs.score',
      sql<Date>`runs.finished_at`.as('finishedAt'),
    ])
    .where('submissions.slug', '=', slug)
    .where('submissions.dryRun', '=', false)
    .where('runs.state', '=', 'completed');
  if (version !== undefined) {
    rows = rows.where('challengeVersions.version', '=', version);
  }
  return await rows.orderBy('submissions.id').orderBy('runs.createdAt', 'desc').execute();
}
