import type { Page, PageRequest } from '../page.ts';
import type { DueDelivery, WebhookDelivery, WebhookStore } from '../webhook-store.ts';
import type { Connection, Reader, Tx } from './connection.ts';
import { isOlder, newestPage, pageSize, readCursor } from './paging.ts';
import { clock, clockIn, idOf } from './values.ts';

const WEBHOOK_COLUMNS = ['id', 'url', 'events', 'createdAt'] as const;
const MAX_ERROR_CHARS = 500;

export function webhookStore(connection: Connection): WebhookStore {
  return {
    add: (webhook) =>
      connection.read((db) =>
        db
          .insertInto('webhooks')
          .values({ ...webhook, events: [...webhook.events] })
          .returning([...WEBHOOK_COLUMNS, 'secret'])
          .executeTakeFirstOrThrow(),
      ),
    list: () =>
      connection.read((db) =>
        db.selectFrom('webhooks').select(WEBHOOK_COLUMNS).orderBy('createdAt').orderBy('id').execute(),
      ),
    remove: (id) =>
      connection.read(async (db) => {
        const gone = await db.deleteFrom('webhooks').where('id', '=', idOf(id)).executeTakeFirst();
        return gone.numDeletedRows > 0n;
      }),
    deliveries: (webhookId, page) => connection.read((db) => deliveries(db, webhookId, page)),
    redeliver: (webhookId, deliveryId) =>
      connection.read((db) =>
        db
          .updateTable('webhookDeliveries')
          .set({ state: 'pending', attempts: 0, nextAttemptAt: clock(), deliveredAt: null })
          .where('id', '=', idOf(deliveryId))
          .where('webhookId', '=', idOf(webhookId))
          .returningAll()
          .executeTakeFirst(),
      ),
    takeDue: (limit, holdMs) => connection.write((tx) => takeDue(tx, limit, holdMs)),
    settle: (deliveryId, outcome) => connection.read((db) => settle(db, deliveryId, outcome)),
  };
}

async function deliveries(db: Reader, webhookId: string, page: PageRequest): Promise<Page<WebhookDelivery>> {
  const after = readCursor(page);
  let rows = db.selectFrom('webhookDeliveries').selectAll().where('webhookId', '=', idOf(webhookId));
  if (after) {
    rows = rows.where(isOlder('webhookDeliveries', after));
  }
  const found = await rows
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(pageSize(page) + 1)
    .execute();
  return newestPage(found, page);
}

async function takeDue(tx: Tx, limit: number, holdMs: number): Promise<DueDelivery[]> {
  const due = await tx
    .selectFrom('webhookDeliveries')
    .select('id')
    .where('state', '=', 'pending')
    .where('nextAttemptAt', '<=', clock())
    .orderBy('nextAttemptAt')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  if (due.length === 0) {
    return [];
  }
  const taken = await tx
    .updateTable('webhookDeliveries')
    .from('webhooks')
    .set((row) => ({ nextAttemptAt: clockIn(holdMs), attempts: row('webhookDeliveries.attempts', '+', 1) }))
    .whereRef('webhooks.id', '=', 'webhookDeliveries.webhookId')
    .where(
      'webhookDeliveries.id',
      'in',
      due.map((row) => row.id),
    )
    .returningAll('webhookDeliveries')
    .returning(['webhooks.url', 'webhooks.secret'])
    .execute();
  return taken.map(({ url, secret, ...delivery }) => ({ delivery, url, secret }));
}

async function settle(
  db: Reader,
  deliveryId: string,
  outcome: { ok: boolean; status: number | null; error: string | null; retryInMs?: number },
): Promise<void> {
  const { ok, status, error, retryInMs } = outcome;
  const facts = { lastStatus: status, lastError: error?.slice(0, MAX_ERROR_CHARS) ?? null };
  const update = db.updateTable('webhookDeliveries').where('id', '=', idOf(deliveryId));
  if (ok) {
    await update.set({ ...facts, state: 'delivered', nextAttemptAt: null, deliveredAt: clock() }).execute();
  } else if (retryInMs === undefined) {
    await update.set({ ...facts, state: 'failed', nextAttemptAt: null }).execute();
  } else {
    await update.set({ ...facts, state: 'pending', nextAttemptAt: clockIn(retryInMs) }).execute();
  }
}
