import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { connectionSettings } from './connection.ts';
import { EVENTS_CHANNEL, OUTBOX_CHANNEL } from './run-rows.ts';

const RETRY_MS = 1000;

type Hear = (payload: string) => void;

/** Notifications of the database, over one connection of its own. Some may be lost: who listens also polls. */
export interface Listener {
  /** Calls `hear` for each notification until the answer is called. */
  on(channel: string, hear: Hear): () => void;
  close(): Promise<void>;
}

/** Starts to listen in the background, again and again where the connection breaks. */
export function startListener(url: string): Listener {
  const hearers = new Map<string, Set<Hear>>();
  const closing = new AbortController();
  const done = listenOn(url, hearers, closing.signal);
  return {
    on(channel, hear) {
      const set = hearers.get(channel) ?? new Set();
      hearers.set(channel, set.add(hear));
      return () => set.delete(hear);
    },
    async close() {
      closing.abort();
      await done;
    },
  };
}

async function listenOn(
  url: string,
  hearers: ReadonlyMap<string, ReadonlySet<Hear>>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const client = new pg.Client({ ...connectionSettings(url), application_name: 'assay-listen' });
    const broken = new Promise<void>((resolve) => {
      client.on('error', () => resolve());
      client.on('end', () => resolve());
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    client.on('notification', ({ channel, payload }) => {
      for (const hear of hearers.get(channel) ?? []) {
        hear(payload ?? '');
      }
    });
    try {
      await client.connect();
      await client.query(`LISTEN ${EVENTS_CHANNEL}; LISTEN ${OUTBOX_CHANNEL}`);
      await broken;
    } catch {
      // Away: those who listen poll meanwhile.
    }
    await client.end().catch(() => undefined);
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
  }
}
