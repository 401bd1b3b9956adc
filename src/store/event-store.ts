import type { RunEvent, StoredRunEvent } from '../domain/run.ts';

/** What happened to runs, kept for watchers that come late or come back. */
export interface EventStore {
  /** Appends in order; refused quietly when (run, epoch) is not the live lease. */
  append(runId: string, epoch: number, events: readonly RunEvent[]): Promise<void>;
  /**
   * Events after `afterSeq`, then new ones as they come, until `end` or abort. Ends after a terminal run's last event.
   */
  follow(runId: string, afterSeq: number, signal: AbortSignal): AsyncIterable<StoredRunEvent>;
}
