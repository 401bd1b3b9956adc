import { systemClock } from '../shared/clock.ts';
import type { Clock } from '../shared/clock.ts';

/** An exclusive stage lets others go first for so long, ms. */
const PATIENCE_MS = 60_000;

/**
 * Lets gradings of one process run side by side without disturbing what is timed: stages share the machine, an
 * exclusive one has it alone. While it waits for those inside, others still go in beside them, so that exclusive ones
 * gather and the machine is seldom kept empty for one; but for a while only, so that neither kind starves.
 */
export interface StageGate {
  /** Resolves when the stage may run; call the answer when it is over. Rejects with the signal's reason. */
  enter(alone: boolean, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  alone: boolean;
  sinceMs: number;
  open: () => void;
}

export function makeStageGate(clock: Pick<Clock, 'elapsedMs'> = systemClock): StageGate {
  const queue: Waiting[] = [];
  let inside = 0;
  let aloneInside = false;

  function admit(): void {
    for (let next = pick(); next !== undefined; next = pick()) {
      queue.splice(queue.indexOf(next), 1);
      inside += 1;
      aloneInside = next.alone;
      next.open();
    }
  }

  /** Who may go in now: the first, or the first that shares while an exclusive one still has patience. */
  function pick(): Waiting | undefined {
    const [first] = queue;
    if (first === undefined || aloneInside) {
      return undefined;
    }
    if (!first.alone || inside === 0) {
      return first;
    }
    const patient = queue.every(({ alone, sinceMs }) => !alone || clock.elapsedMs() - sinceMs < PATIENCE_MS);
    return patient ? queue.find(({ alone }) => !alone) : undefined;
  }

  function leaver(): () => void {
    let left = false;
    return () => {
      if (!left) {
        left = true;
        inside -= 1;
        aloneInside = false;
        admit();
      }
    };
  }

  return {
    enter: (alone, signal) =>
      new Promise((resolve, reject) => {
        function giveUp(): void {
          const index = queue.indexOf(waiting);
          if (index !== -1) {
            queue.splice(index, 1);
            reject(signal.reason as Error);
            admit();
          }
        }
        function open(): void {
          signal.removeEventListener('abort', giveUp);
          resolve(leaver());
        }
        const waiting: Waiting = { alone, sinceMs: clock.elapsedMs(), open };
        queue.push(waiting);
        signal.addEventListener('abort', giveUp, { once: true });
        if (signal.aborted) {
          giveUp();
        } else {
          admit();
        }
      }),
  };
}
