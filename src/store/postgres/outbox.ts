import { sql } from 'kysely';
import type { RunStore } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { clock } from './values.ts';

/** See RunStore. Rows that another relay holds are skipped; a death before the commit sends them again. */
export async function relayOutbox(
  tx: Tx,
  limit: number,
  send: Parameters<RunStore['relay']>[1],
): Promise<number> {
  const due = await tx
    .selectFrom('outbox')
    .innerJoin('runs', 'runs.id', 'outbox.runId')
    .select(['outbox.id', 'outbox.runId', 'outbox.epoch', 'runs.kind'])
    .select(sql<boolean>`runs.state = 'queued' AND runs.epoch = outbox.epoch`.as('wanted'))
    .where('outbox.dueAt', '<=', clock())
    .orderBy('outbox.later')
    .orderBy('outbox.dueAt')
    .orderBy('outbox.id')
    .limit(limit)
    .forUpdate('outbox')
    .skipLocked()
    .execute();
  const settled: string[] = [];
  const sent: string[] = [];
  let failure: Error | undefined;
  for (const { id, wanted, ...delivery } of due) {
    try {
      if (wanted) {
        await send(delivery);
        sent.push(delivery.runId);
      }
      settled.push(id);
    } catch (error) {
      // The queue is away: what went before it is marked, the rest stays for later.
      failure = error instanceof Error ? error : new Error(String(error));
      break;
    }
  }
  if (settled.length === 0 && failure) {
    throw failure;
  }
  if (sent.length > 0) {
    await tx.updateTable('runs').set({ deliveredAt: clock() }).where('id', 'in', sent).execute();
  }
  if (settled.length > 0) {
    await tx.deleteFrom('outbox').where('id', 'in', settled).execute();
  }
  return sent.length;
}
