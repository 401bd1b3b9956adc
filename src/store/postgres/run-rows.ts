import type { RunEvent } from '../../domain/run.ts';
import { sql } from 'kysely';
import type { Run } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { clockIn } from './values.ts';

/** The columns that make a Run. */
export const RUN_COLUMNS = [
  'runs.id',
  'runs.submissionId',
  'runs.versionId',
  'runs.kind',
  'runs.state',
  'runs.epoch',
  'runs.worker',
  'runs.failures',
  'runs.seed',
  'runs.phase',
  'runs.verdict',
  'runs.score',
  'runs.stages',
  'runs.previousRunId',
  'runs.reason',
  'runs.createdAt',
  'runs.startedAt',
  'runs.finishedAt',
  'runs.phases',
] as const;

/** The channel that watchers listen to; the payload is the run's id. */
export const EVENTS_CHANNEL = 'assay_run_events';
/** Told when something is put into the outbox. */
export const OUTBOX_CHANNEL = 'assay_outbox';

/**
 * Writes events with the run's next numbers. The run's row is locked till the transaction ends, so the numbers have
 * no gaps and come in order. Watchers wake when it commits.
 */
export async function appendEvents(tx: Tx, runId: string, events: readonly RunEvent[]): Promise<void> {
  const { lastSeq } = await tx
    .updateTable('runs')
    .set((run) => ({ lastSeq: run('lastSeq', '+', events.length) }))
    .where('id', '=', runId)
    .returning('lastSeq')
    .executeTakeFirstOrThrow();
  const first = lastSeq - events.length + 1;
  await tx
    .insertInto('runEvents')
    .values(events.map((event, index) => ({ runId, seq: first + index, event: JSON.stringify(event) })))
    .execute();
  await sql`SELECT pg_notify(${EVENTS_CHANNEL}, ${runId})`.execute(tx);
}

/** Whether the files of a submission were deleted, with its candidate: nothing of its runs is kept any more. */
export async function isForgotten(tx: Tx, submissionId: string | null): Promise<boolean> {
  if (submissionId === null) {
    return false;
  }
  const found = await tx
    .selectFrom('submissions')
    .select('tarBlob')
    .where('id', '=', submissionId)
    .executeTakeFirst();
  return found?.tarBlob === null;
}

/** Puts a delivery into the outbox, due after `delayMs`. One that is there already stays as it is. */
export async function putIntoOutbox(
  tx: Tx,
  { id: runId, epoch, kind }: Pick<Run, 'id' | 'epoch' | 'kind'>,
  delayMs: number,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .values({ runId, epoch, dueAt: clockIn(delayMs), later: kind === 'regrade' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await sql`SELECT pg_notify(${OUTBOX_CHANNEL}, '')`.execute(tx);
}
