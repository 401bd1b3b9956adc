import { setTimeout as sleep } from 'node:timers/promises';
import { TERMINAL_STATES } from '../../domain/run.ts';
import type { RunEvent, StoredRunEvent } from '../../domain/run.ts';
import type { EventStore } from '../event-store.ts';
import type { Connection } from './connection.ts';
import type { Listener } from './listener.ts';
import { appendEvents, EVENTS_CHANNEL, isForgotten } from './run-rows.ts';
import { idOf } from './values.ts';

const PAGE = 500;
/** Notifications wake at once; this is for those that were lost with a connection. */
const POLL_MS = 2000;

export function eventStore(connection: Connection, listener: Listener): EventStore {
  return {
    append: (runId, epoch, events) => append(connection, runId, epoch, events),
    follow: (runId, afterSeq, signal) => follow(connection, listener, { runId, afterSeq }, signal),
  };
}

async function append(
  connection: Connection,
  runId: string,
  epoch: number,
  events: readonly RunEvent[],
): Promise<void> {
  if (events.length === 0) {
    return;
  }
  await connection.write(async (tx) => {
    const live = await tx
      .selectFrom('runs')
      .select(['id', 'submissionId'])
      .where('id', '=', idOf(runId))
      .where('epoch', '=', epoch)
      .where('state', '=', 'running')
      .forUpdate()
      .executeTakeFirst();
    if (live && !(await isForgotten(tx, live.submissionId))) {
      await appendEvents(tx, live.id, events);
    }
  });
}

async function* follow(
  connection: Connection,
  listener: Listener,
  from: { runId: string; afterSeq: number },
  signal: AbortSignal,
): AsyncGenerator<StoredRunEvent> {
  let seq = from.afterSeq;
  while (!signal.aborted) {
    // Listening begins before the look, so that nothing falls between the two.
    const woken = new AbortController();
    const stop = listener.on(EVENTS_CHANNEL, (payload) => {
      if (payload === from.runId || payload === '') {
        woken.abort();
      }
    });
    try {
      const { events, over } = await look(connection, from.runId, seq);
      for (const event of events) {
        yield event;
        seq = event.seq;
      }
      if (over && events.length < PAGE) {
        return;
      }
      if (events.length < PAGE) {
        await sleep(POLL_MS, undefined, { signal: AbortSignal.any([woken.signal, signal]) }).catch(
          () => undefined,
        );
      }
    } finally {
      stop();
    }
  }
}

/** `over`: the run had ended (or never was) when its events were read, so there are no later ones. */
async function look(connection: Connection, runId: string, afterSeq: number) {
  return await connection.read(async (db) => {
    const run = await db.selectFrom('runs').select('state').where('id', '=', idOf(runId)).executeTakeFirst();
    const events: StoredRunEvent[] = await db
      .selectFrom('runEvents')
      .select(['seq', 'at', 'event'])
      .where('runId', '=', idOf(runId))
      .where('seq', '>', afterSeq)
      .orderBy('seq')
      .limit(PAGE)
      .execute();
    return { events, over: run === undefined || TERMINAL_STATES.has(run.state) };
  });
}
