import type { RunKind } from '../../domain/run.ts';
import type { Run } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { appendEvents, putIntoOutbox, RUN_COLUMNS } from './run-rows.ts';

export interface NewRun {
  submissionId: string | null;
  versionId: string;
  kind: RunKind;
  seed: string;
  previousRunId: string | null;
}

/** Writes a queued run of epoch 1, its first event and its outbox row. */
export async function queueRun(tx: Tx, run: NewRun): Promise<Run> {
  const made = await tx
    .insertInto('runs')
    .values({ ...run, phases: '[]' })
    .returning(RUN_COLUMNS)
    .executeTakeFirstOrThrow();
  await appendEvents(tx, made.id, [{ type: 'state', state: 'queued' }]);
  await putIntoOutbox(tx, made, 0);
  return made;
}
