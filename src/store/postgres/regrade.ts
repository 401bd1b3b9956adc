import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { AssayError } from '../../domain/errors.ts';
import type { Run } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { queueRun } from './queue-run.ts';
import { EVENTS_CHANNEL, OUTBOX_CHANNEL } from './run-rows.ts';
import { idOf } from './values.ts';

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

/** See RunStore. One statement per table: thousands of submissions are no reason for thousands of round trips. */
export async function regradeAll(tx: Tx, slug: string, versionId: string): Promise<number> {
  // A hundred thousand submissions take longer than a statement of ours usually may.
  await sql`SET LOCAL statement_timeout = '5min'`.execute(tx);
  const made = await sql<{ id: string }>`
    WITH made AS (
      INSERT INTO runs (submission_id, version_id, kind, seed, phases, last_seq, previous_run_id)
      SELECT s.id, ${idOf(versionId)}::uuid, 'regrade', gen_random_uuid()::text, '[]', 1,
        (SELECT r.id FROM runs r WHERE r.submission_id = s.id AND r.state = 'completed'
          ORDER BY r.created_at DESC LIMIT 1)
      FROM submissions s WHERE s.slug = ${slug} AND NOT s.dry_run AND s.tar_blob IS NOT NULL
      ORDER BY s.created_at
      RETURNING id
    ), noted AS (
      INSERT INTO run_events (run_id, seq, event) SELECT id, 1, '{"type":"state","state":"queued"}' FROM made
    ), put AS (
      INSERT INTO outbox (run_id, epoch) SELECT id, 1 FROM made
    )
    SELECT id FROM made`.execute(tx);
  await sql`SELECT pg_notify(${EVENTS_CHANNEL}, ''), pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx);
  return made.rows.length;
}
