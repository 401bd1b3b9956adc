import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../shared/logger.ts';

/** Something done again and again. */
export interface Chore {
  name: string;
  everyMs: number;
  /** True asks for another turn at once: there was more to do than one turn takes. */
  turn: () => Promise<boolean>;
  /** Calls back when a turn may be worth it before its time; answers how to stop listening. */
  onNews?: (wake: () => void) => () => void;
}

/** Goes on with a chore until the answer is called; a turn that fails is told and tried again at its time. */
export function keepGoing(chore: Chore, logger: Logger): () => Promise<void> {
  const ended = new AbortController();
  let wake = new AbortController();
  const stopListening = chore.onNews?.(() => wake.abort());

  async function loop(): Promise<void> {
    while (!ended.signal.aborted) {
      // Made before the turn: news that come while it runs make another one.
      wake = new AbortController();
      const again = await chore.turn().catch((error: unknown) => {
        logger.warn({ chore: chore.name, err: error }, 'a chore failed');
        return false;
      });
      if (!again) {
        const signal = AbortSignal.any([ended.signal, wake.signal]);
        await sleep(chore.everyMs, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  const going = loop();
  return async () => {
    stopListening?.();
    ended.abort();
    await going;
  };
}
