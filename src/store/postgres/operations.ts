import { sql } from 'kysely';
import type { AuditEntry, AuditStore, WorkerInfo, WorkerStore } from '../operations-store.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Connection, Reader } from './connection.ts';
import { pageSize, readCursor, toPage } from './paging.ts';
import { clock } from './values.ts';

/** A worker that has not been heard of for so long is gone; one that long gone is forgotten. */
const GONE_MS = 30_000;
const FORGOTTEN_HOURS = 24;

export function auditStore(connection: Connection): AuditStore {
  return {
    add: (entry) =>
      connection.read(async (db) => {
        await db
          .insertInto('audit')
          .values({ ...entry, details: JSON.stringify(entry.details) })
          .execute();
      }),
    list: (filter, page) => connection.read((db) => listAudit(db, filter, page)),
  };
}

async function listAudit(
  db: Reader,
  filter: { action?: string; object?: string },
  page: PageRequest,
): Promise<Page<AuditEntry>> {
  const after = readCursor(page);
  let rows = db.selectFrom('audit').selectAll();
  if (filter.action !== undefined) {
    rows = rows.where('action', '=', filter.action);
  }
  if (filter.object !== undefined) {
    rows = rows.where('object', '=', filter.object);
  }
  if (after) {
    rows = rows.where(sql<boolean>`id < ${after.key}`);
  }
  const found = await rows
    .orderBy('id', 'desc')
    .limit(pageSize(page) + 1)
    .execute();
  return toPage(
    found,
    page,
    (row) => row,
    (row) => ({ key: Number(row.id), id: row.id }),
  );
}

export function workerStore(connection: Connection): WorkerStore {
  return {
    heartbeat: (worker) =>
      connection.read(async (db) => {
        await db
          .deleteFrom('workers')
          .where('seenAt', '<', sql<Date>`clock_timestamp() - ${FORGOTTEN_HOURS} * interval '1 hour'`)
          .execute();
        const { host, version, slots, busy, state, reason } = worker;
        return await db
          .insertInto('workers')
          .values(worker)
          .onConflict((conflict) =>
            conflict.column('id').doUpdateSet({ host, version, slots, busy, state, reason, seenAt: clock() }),
          )
          .returning('drain')
          .executeTakeFirstOrThrow();
      }),
    list: (): Promise<WorkerInfo[]> =>
      connection.read((db) =>
        db
          .selectFrom('workers')
          .select(['id', 'host', 'version', 'slots', 'busy', 'reason', 'startedAt', 'seenAt'])
          .select(
            sql<
              WorkerInfo['state']
            >`CASE WHEN seen_at < clock_timestamp() - ${GONE_MS} * interval '1 millisecond'
              THEN 'gone' ELSE state END`.as('state'),
          )
          .orderBy('startedAt')
          .orderBy('id')
          .execute(),
      ),
    askToDrain: (id) =>
      connection.read(async (db) => {
        const asked = await db
          .updateTable('workers')
          .set({ drain: true })
          .where('id', '=', id)
          .executeTakeFirst();
        return asked.numUpdatedRows > 0n;
      }),
  };
}
