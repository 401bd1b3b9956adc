import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { AssayError } from '../../domain/errors.ts';
import type { Run } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { queueRun } from './queue-run.ts';
import { EVENTS_CHANNEL, OUTBOX_CHANNEL } from './run-rows.ts';
import { idOf } from './values.ts';

const BATCH = 2000;

/** See RunStore. Throws AssayError `SUBMISSION_GONE` when there is nothing left to grade. */
export async function regradeOne(tx: Tx, submissionId: string, versionId: string): Promise<Run> {
  const submission = await tx
    .selectFrom('submissions')
    .select(['id', 'tarBlob'])
    .where('id', '=', idOf(submissionId))
    .forUpdate()
    .executeTakeFirst();
  if (!submission || submission.tarBlob === null) {
    throw new AssayError('SUBMISSION_GONE', 'spec', 'this submission has no source any more');
  }
  const previous = await tx
    .selectFrom('runs')
    .select('id')
    .where('submissionId', '=', submission.id)
    .where('state', '=', 'completed')
    .orderBy('createdAt', 'desc')
    .limit(1)
    .executeTakeFirst();
  return await queueRun(tx, {
    submissionId: submission.id,
    versionId,
    kind: 'regrade',
    seed: randomUUID(),
    previousRunId: previous?.id ?? null,
  });
}

/**
 * See RunStore. Thousands at a time, in the order they were handed in: one statement for all would take longer than any
 * may, and one for each would be as many round trips.
 */
export async function regradeAll(tx: Tx, slug: string, versionId: string): Promise<number> {
  let count = 0;
  let last: Handed | undefined;
  do {
    const batch = await regradeBatch(tx, slug, versionId, last);
    count += batch.count;
    last = batch.last;
  } while (last !== undefined);
  await sql`SELECT pg_notify(${EVENTS_CHANNEL}, ''), pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx);
  return count;
}

/** Where a submission stands in the order. The time is text: a Date would round it. */
interface Handed {
  at: string;
  id: string;
}

async function regradeBatch(
  tx: Tx,
  slug: string,
  versionId: string,
  after: Handed | undefined,
): Promise<{ count: number; last: Handed | undefined }> {
  const { at, id } = after ?? { at: '-infinity', id: '00000000-0000-0000-0000-000000000000' };
  const { rows } = await sql<Handed>`
    WITH chosen AS (
      SELECT s.id, s.created_at FROM submissions s
      WHERE s.slug = ${slug} AND NOT s.dry_run AND s.tar_blob IS NOT NULL
        AND (s.created_at, s.id) > (${at}::timestamptz, ${id}::uuid)
      ORDER BY s.created_at, s.id LIMIT ${sql.lit(BATCH)}
    ), made AS (
      INSERT INTO runs (submission_id, version_id, kind, seed, phases, last_seq, previous_run_id)
      SELECT c.id, ${idOf(versionId)}::uuid, 'regrade', gen_random_uuid()::text, '[]', 1,
        (SELECT r.id FROM runs r WHERE r.submission_id = c.id AND r.state = 'completed'
          ORDER BY r.created_at DESC LIMIT 1)
      FROM chosen c ORDER BY c.created_at, c.id
      RETURNING id
    ), noted AS (
      INSERT INTO run_events (run_id, seq, event) SELECT id, 1, '{"type":"state","state":"queued"}' FROM made
    ), put AS (
      INSERT INTO outbox (run_id, epoch, later) SELECT id, 1, true FROM made
    )
    SELECT id, created_at::text AS at FROM chosen ORDER BY created_at, id`.execute(tx);
  return { count: rows.length, last: rows.length < BATCH ? undefined : rows.at(-1) };
}
