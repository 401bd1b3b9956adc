import { TERMINAL_STATES } from '../../domain/run.ts';
import type { Run } from '../../store/run-store.ts';
import type { Store } from '../../store/store.ts';
import type { EventView } from './event-view.ts';
import type { StreamWriter } from './stream-writer.ts';

const QUEUE_POLL_MS = 2000;

export interface FollowOptions {
  store: Store;
  run: Run;
  view: EventView;
  writer: StreamWriter;
  /** Messages up to this sequence number were received before. */
  afterSeq: number;
  heartbeatMs: number;
  /** Whether the reader may go on: asked at every heartbeat. */
  stillAllowed: () => Promise<boolean>;
}

/** Sends what happened and happens to a run, until it ends or `controller` aborts. Message ids are `run:seq`. */
export async function followRun(options: FollowOptions, controller: AbortController): Promise<void> {
  const { store, run, view, writer, afterSeq } = options;
  const stop = keepAlive(options, controller);
  let ended = false;
  try {
    for await (const stored of store.events.follow(run.id, 0, controller.signal)) {
      const message = view(stored);
      if (message !== undefined && stored.seq > afterSeq) {
        await writer.send(message, `${run.id}:${stored.seq}`);
      }
      ended ||= stored.event.type === 'end';
    }
    if (!ended && !controller.signal.aborted) {
      await sendEnd(options);
    }
  } finally {
    stop();
    writer.end();
  }
}

/** For runs whose events are gone: the reader learns the end from the run itself. */
async function sendEnd({ store, run, writer }: FollowOptions): Promise<void> {
  const now = (await store.runs.get(run.id)) ?? run;
  if (TERMINAL_STATES.has(now.state)) {
    await writer.send({ event: 'end', data: { state: now.state, verdict: now.verdict } });
  }
}

/** Heartbeats, which also notice a withdrawn token, and the place in the queue while there is one. */
function keepAlive(options: FollowOptions, controller: AbortController): () => void {
  const { store, run, writer, stillAllowed } = options;
  let shown: number | undefined;
  let queued = run.state === 'queued';

  async function beat(): Promise<void> {
    if (await stillAllowed()) {
      writer.beat();
    } else {
      controller.abort();
    }
  }
  async function showPlace(): Promise<void> {
    const position = queued ? await store.runs.positionOf(run.id) : undefined;
    queued = position !== undefined;
    if (position !== undefined && position !== shown) {
      shown = position;
      await writer.send({ event: 'queue', data: { position: position + 1 } });
    }
  }
  function fail(): void {
    controller.abort();
  }

  showPlace().catch(fail);
  const beats = setInterval(() => void beat().catch(fail), options.heartbeatMs);
  const places = setInterval(() => void showPlace().catch(fail), QUEUE_POLL_MS);
  return () => {
    clearInterval(beats);
    clearInterval(places);
  };
}
