import { sql } from 'kysely';
import type { Tx } from './connection.ts';
import { unusedBlobs } from './blob-references.ts';
import { appendEvents } from './run-rows.ts';
import { clock, idOf } from './values.ts';

const REASON = 'the candidate was deleted';

/** See AccessStore. Runs at work are told at their next heartbeat; nothing that they still find is kept. */
export async function deleteCandidate(
  tx: Tx,
  candidateId: string,
): Promise<{ orphanedBlobs: string[] } | undefined> {
  const id = idOf(candidateId);
  const deleted = await tx
    .updateTable('candidates')
    .set((row) => ({ name: null, email: null, deletedAt: row.fn.coalesce('deletedAt', clock()) }))
    .where('id', '=', id)
    .executeTakeFirst();
  if (deleted.numUpdatedRows === 0n) {
    return undefined;
  }
  await endAccess(tx, id);
  const runIds = await endRuns(tx, id);
  const blobs = await collectBlobs(tx, id);
  await tx
    .updateTable('submissions')
    .set({ uploadBlob: null, tarBlob: null, files: '[]', notices: '[]', idempotencyKey: null })
    .where('candidateId', '=', id)
    .execute();
  if (runIds.length > 0) {
    await tx.deleteFrom('results').where('runId', 'in', runIds).execute();
    await tx.deleteFrom('runEvents').where('runId', 'in', runIds).execute();
  }
  await tx
    .deleteFrom('reviews')
    .where('submissionId', 'in', tx.selectFrom('submissions').select('id').where('candidateId', '=', id))
    .execute();
  return { orphanedBlobs: await unusedBlobs(tx, blobs) };
}

async function endAccess(tx: Tx, candidateId: string): Promise<void> {
  const invitations = tx.selectFrom('invitations').select('id').where('candidateId', '=', candidateId);
  await tx
    .updateTable('tokens')
    .set((row) => ({ name: 'deleted', revokedAt: row.fn.coalesce('revokedAt', clock()) }))
    .where('invitationId', 'in', invitations)
    .execute();
  await tx
    .updateTable('invitations')
    .set((row) => ({ revokedAt: row.fn.coalesce('revokedAt', clock()) }))
    .where('candidateId', '=', candidateId)
    .execute();
}

/** Locks all runs of the candidate in one order, cancels what has not ended, and answers their ids. */
async function endRuns(tx: Tx, candidateId: string): Promise<string[]> {
  const runs = await tx
    .selectFrom('runs')
    .innerJoin('submissions', 'submissions.id', 'runs.submissionId')
    .select(['runs.id', 'runs.state'])
    .where('submissions.candidateId', '=', candidateId)
    .orderBy('runs.id')
    .forUpdate('runs')
    .execute();
  for (const run of runs) {
    if (run.state === 'queued') {
      await tx
        .updateTable('runs')
        .set({ state: 'canceled', reason: REASON, finishedAt: clock() })
        .where('id', '=', run.id)
        .execute();
      await tx.deleteFrom('outbox').where('runId', '=', run.id).execute();
      await appendEvents(tx, run.id, [{ type: 'end', state: 'canceled', verdict: null }]);
    }
    if (run.state === 'running') {
      await tx.updateTable('runs').set({ cancelReason: REASON }).where('id', '=', run.id).execute();
    }
  }
  return runs.map((run) => run.id);
}

async function collectBlobs(tx: Tx, candidateId: string): Promise<string[]> {
  const found = await sql<{ blob: string }>`
    SELECT unnest(ARRAY[upload_blob, tar_blob]) AS blob FROM submissions WHERE candidate_id = ${candidateId}
    UNION
    SELECT a.blob FROM artifacts a JOIN runs r ON r.id = a.run_id JOIN submissions s ON s.id = r.submission_id
      WHERE s.candidate_id = ${candidateId}`.execute(tx);
  return found.rows.flatMap(({ blob }) => (blob === null ? [] : [blob]));
}
