import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { InfraError } from '../../domain/errors.ts';
import type { Changes, Store } from '../store.ts';
import { accessStore } from './access.ts';
import { unusedBlobs } from './blob-references.ts';
import { challengeStore } from './challenges.ts';
import { connectionSettings, openConnection, translated, within } from './connection.ts';
import type { Connection } from './connection.ts';
import { eventStore } from './events.ts';
import { startListener } from './listener.ts';
import { assertSchema, migrate } from './migrate.ts';
import { auditStore, workerStore } from './operations.ts';
import { reviewStore } from './reviews.ts';
import { OUTBOX_CHANNEL } from './run-rows.ts';
import { runStore } from './runs.ts';
import { submissionStore } from './submissions.ts';
import { webhookStore } from './webhooks.ts';

export interface PostgresStoreOptions {
  url: string;
  /** Hears of idle connections that broke; the pool makes new ones. */
  onError?: (error: Error) => void;
}

/**
 * Opens the store and brings its schema to this program's version first; waits up to `waitMs` for a database that
 * is starting. Throws InfraError `STORE_UNAVAILABLE` or `STORE_SCHEMA_NEWER`.
 */
export async function openPostgresStore(options: PostgresStoreOptions, waitMs = 0): Promise<Store> {
  await withPatience(waitMs, () => migrateOnce(options.url));
  const connection = openConnection(options.url, options.onError ?? (() => undefined));
  const listener = startListener(options.url);
  return {
    ...changeStores(connection),
    submissions: submissionStore(connection),
    events: eventStore(connection, listener),
    together: (work) => connection.write((tx) => work(changeStores(within(connection, tx)))),
    unusedBlobs: (blobs) => connection.read((db) => unusedBlobs(db, blobs)),
    onOutbox: (wake) => listener.on(OUTBOX_CHANNEL, wake),
    ping: () => translated(() => assertSchema(connection.pool)),
    close: async () => {
      await listener.close();
      await connection.close();
    },
  };
}

function changeStores(connection: Connection): Changes {
  return {
    challenges: challengeStore(connection),
    access: accessStore(connection),
    runs: runStore(connection),
    webhooks: webhookStore(connection),
    reviews: reviewStore(connection),
    audit: auditStore(connection),
    workers: workerStore(connection),
  };
}

async function migrateOnce(url: string): Promise<void> {
  // Building an index over a large table may take longer than any statement of the service may.
  const client = new pg.Client({ ...connectionSettings(url), query_timeout: 0 });
  client.on('error', () => undefined);
  try {
    await translated(async () => {
      await client.connect();
      await migrate(client);
    });
  } finally {
    await client.end().catch(() => undefined);
  }
}

const PATIENCE_STEP_MS = 200;

async function withPatience(waitMs: number, work: () => Promise<void>): Promise<void> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const away = error instanceof InfraError && error.code === 'STORE_UNAVAILABLE';
      if (!away || performance.now() > untilMs) {
        throw error;
      }
    }
    await sleep(PATIENCE_STEP_MS);
  }
}
