import type { WaitTime } from '../../src/domain/load-plan.ts';
import type { Prng } from '../shared/prng.ts';

/**
 * How long a user waits after a task that took `tookMs`. Pacing waits for the rest of its period, and not at
 * all when the task took longer than that.
 */
export function waitTimeMs(waitTime: WaitTime, tookMs: number, prng: Prng): number {
  switch (waitTime.kind) {
    case 'constant':
      return waitTime.ms;
    case 'between':
      return waitTime.minMs + prng.next() * (waitTime.maxMs - waitTime.minMs);
    case 'pacing':
      return Math.max(0, waitTime.periodMs - tookMs);
  }
}
