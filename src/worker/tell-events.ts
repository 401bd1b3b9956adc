import { setTimeout as sleep } from 'node:timers/promises';
import type { RunEvent } from '../domain/run.ts';
import type { OnProgress, ProgressEvent } from '../grading/progress.ts';
import type { Lease } from '../store/run-store.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** Collects what happens in a run and writes it in batches, in order. */
export interface EventTeller {
  onProgress: OnProgress;
  tell(event: RunEvent): void;
  /** Writes what is left; what cannot be written in time is given up: events are for watchers, not for results. */
  end(): Promise<void>;
}

const BATCH_MS = 250;
const BATCH_EVENTS = 200;
/** Watchers of one run get so much of its logs; the report has the rest of what is kept. */
const LOG_CHARS = 256 * 1024;
const LOG_EVENT_CHARS = 8 * 1024;
const MAX_WAITING = 5000;

type Waiting = { kind: 'event'; event: RunEvent } | { kind: 'phase'; phase: string; state: 'begin' | 'end' };

/** Starts to tell the events of one lease. */
export function tellEvents(
  { store, id, logger }: Pick<WorkerDeps, 'store' | 'id' | 'logger'>,
  { run, epoch }: Lease,
): EventTeller {
  const waiting: Waiting[] = [];
  const ended = new AbortController();
  let logChars = 0;

  function push(item: Waiting): void {
    if (waiting.length < MAX_WAITING) {
      waiting.push(item);
    }
  }

  function log(event: Extract<ProgressEvent, { kind: 'log' }>): void {
    const text = event.text.slice(0, Math.min(LOG_EVENT_CHARS, LOG_CHARS - logChars));
    if (text !== '') {
      logChars += text.length;
      push({ kind: 'event', event: { type: 'log', source: event.source, text } });
    }
  }

  async function writeSome(): Promise<void> {
    const first = waiting[0];
    if (first?.kind === 'phase') {
      waiting.shift();
      await store.runs.phase(run.id, epoch, id, first.phase, first.state);
      return;
    }
    const next = waiting.findIndex((item) => item.kind === 'phase');
    const count = Math.min(next === -1 ? waiting.length : next, BATCH_EVENTS);
    const batch = waiting.splice(0, count).flatMap((item) => (item.kind === 'event' ? [item.event] : []));
    await store.events.append(run.id, epoch, batch);
  }

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      await writeSome();
    }
  }

  async function loop(): Promise<void> {
    while (!ended.signal.aborted) {
      await sleep(BATCH_MS, undefined, { signal: ended.signal }).catch(() => undefined);
      await writeAll().catch((error: unknown) => {
        logger.warn({ runId: run.id, err: error }, 'events of a run could not be written');
      });
    }
  }

  const telling = loop();
  return {
    tell: (event) => push({ kind: 'event', event }),
    onProgress: (event) => {
      if (event.kind === 'log') {
        log(event);
      } else {
        push(toWaiting(event));
      }
    },
    end: async () => {
      ended.abort();
      await telling;
    },
  };
}

function toWaiting(event: Exclude<ProgressEvent, { kind: 'log' }>): Waiting {
  if (event.kind === 'phase') {
    return { kind: 'phase', phase: event.phase, state: event.state };
  }
  if (event.kind === 'progress') {
    const { stage, done, total, label } = event;
    return { kind: 'event', event: { type: 'progress', stage, done, total, label } };
  }
  const { id, name, status, visibility } = event.check;
  const visible = visibility === 'visible';
  return { kind: 'event', event: { type: 'check', stage: event.stage, id, name, status, visible } };
}
