import type { Feedback } from '../../domain/challenge.ts';
import type { RunEvent, StoredRunEvent } from '../../domain/run.ts';

/** One message of an event stream. Without `id` it does not move the reader's place. */
export interface StreamMessage {
  event: RunEvent['type'];
  data: object;
}

/** What one reader sees of an event; undefined: nothing. Must be given every event of a run from its first. */
export type EventView = (stored: StoredRunEvent) => StreamMessage | undefined;

/** Staff see events as they are. */
export function staffView(): EventView {
  return ({ event, at }) => {
    const { type, ...rest } = event;
    return { event: type, data: { at: at.toISOString(), ...rest } };
  };
}

interface Tally {
  passed: number;
  failed: number;
  errored: number;
  skipped: number;
}

/**
 * Candidates see how many checks came out how, never which; progress without its label, which names requests; and
 * of logs what the challenge's feedback allows: the service's own start, but not what it printed under hidden tests.
 */
export function candidateView(feedback: Feedback): EventView {
  const tallies = new Map<string, Tally>();
  let testing = false;

  function countCheck({ stage, status }: Extract<RunEvent, { type: 'check' }>): StreamMessage {
    const tally = tallies.get(stage) ?? { passed: 0, failed: 0, errored: 0, skipped: 0 };
    tally[status] += 1;
    tallies.set(stage, tally);
    return { event: 'check', data: { stage, ...tally } };
  }

  function showLog({ source, text }: Extract<RunEvent, { type: 'log' }>): StreamMessage | undefined {
    const shown = source === 'build' || !testing ? feedback.logs !== 'none' : feedback.logs === 'all';
    return shown ? { event: 'log', data: { source, text } } : undefined;
  }

  function shows(stage: string): boolean {
    return (stage === 'load' ? feedback.load : feedback.api) !== 'none';
  }

  /** A run that is queued again begins anew: what its last try found counts no more. */
  function beginAnew(): void {
    tallies.clear();
    testing = false;
  }

  return ({ event, at }) => {
    switch (event.type) {
      case 'check':
        return shows(event.stage) ? countCheck(event) : undefined;
      case 'log':
        return showLog(event);
      case 'progress':
        return shows(event.stage)
          ? { event: 'progress', data: { stage: event.stage, done: event.done, total: event.total } }
          : undefined;
      case 'stage':
        testing ||= event.stage !== 'build';
        return { event: 'stage', data: { at: at.toISOString(), stage: event.stage, state: event.state } };
      case 'state':
        if (event.state === 'queued') {
          beginAnew();
        }
        return { event: 'state', data: { at: at.toISOString(), state: event.state } };
      case 'queue':
        return { event: 'queue', data: { position: event.position } };
      case 'end':
        return { event: 'end', data: { state: event.state, verdict: event.verdict } };
    }
  };
}
