import type { Review, ReviewStore } from '../review-store.ts';
import type { Connection, Tx } from './connection.ts';
import { readCohort } from './cohort.ts';
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
    cohort: (slug, version, page) => connection.read((db) => readCohort(db, { slug, version }, page)),
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
