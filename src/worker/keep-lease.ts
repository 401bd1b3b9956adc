import { setTimeout as sleep } from 'node:timers/promises';
import type { Lease } from '../store/run-store.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** Why work on a run has to stop before its end. */
export type StopReason = 'lost' | 'cancel' | 'drain';

export interface KeptLease {
  /** Aborts when the work has to stop. */
  signal: AbortSignal;
  /** Undefined while the lease is held and nobody wants the end. */
  stopReason(): StopReason | undefined;
  /** Asks the store now, not at the next beat. */
  check(): void;
  /** The worker stops: the run is to be given back. */
  drain(): void;
  /** No more beats. */
  end(): Promise<void>;
}

const RETRY_MS = 500;

/**
 * Keeps a lease by beating until `end`. A store that is away is asked again: it is the truth, and as long as it has
 * not given the run to somebody else the run is ours.
 */
export function keepLease(
  { store, settings, id, logger }: Pick<WorkerDeps, 'store' | 'settings' | 'id' | 'logger'>,
  { run, epoch }: Lease,
): KeptLease {
  const stopped = new AbortController();
  const ended = new AbortController();
  let wake = new AbortController();
  let reason: StopReason | undefined;

  function stop(why: StopReason): void {
    reason ??= why;
    stopped.abort(new Error(`the work on run ${run.id} has to stop: ${reason}`));
  }

  async function beat(): Promise<number> {
    try {
      const answer = await store.runs.heartbeat(run.id, epoch, id, settings.leaseMs);
      if (answer !== 'ok') {
        stop(answer);
      }
      return settings.heartbeatMs;
    } catch (error) {
      logger.warn({ runId: run.id, err: error }, 'a heartbeat did not reach the store');
      return RETRY_MS;
    }
  }

  async function loop(): Promise<void> {
    let pauseMs = settings.heartbeatMs;
    while (!ended.signal.aborted && reason !== 'lost') {
      wake = new AbortController();
      const signal = AbortSignal.any([ended.signal, wake.signal]);
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
      if (!ended.signal.aborted) {
        pauseMs = await beat();
      }
    }
  }

  const beating = loop();
  return {
    signal: stopped.signal,
    stopReason: () => reason,
    check: () => wake.abort(),
    drain: () => stop('drain'),
    end: async () => {
      ended.abort();
      await beating;
    },
  };
}
