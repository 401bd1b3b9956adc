import { setTimeout as sleep } from 'node:timers/promises';
import type { InTurn } from '../grading/check/check-types.ts';
import type { Slots } from './slots.ts';

export interface CheckTurnsOptions {
  slots: Slots;
  /** Whether a submission waits for a worker, here or elsewhere. */
  submissionsWait: () => Promise<boolean>;
  /** How often to ask again while one does. */
  askAgainMs: number;
}

/**
 * Lets a check use one slot between submissions. Its gradings share the slot side by side; as soon as a submission
 * waits none begins, the slot is given back when those at work have ended, and taken again when nobody waits any more.
 */
export function makeCheckTurns({ slots, submissionsWait, askAgainMs }: CheckTurnsOptions): InTurn {
  let atWork = 0;
  let giveBack: (() => void) | undefined;
  let entering: Promise<void> = Promise.resolve();

  /** A store that is away cannot say; when it is back it can. */
  async function mayBegin(): Promise<boolean> {
    return !(await submissionsWait().catch(() => true));
  }

  async function tryToEnter(signal: AbortSignal): Promise<boolean> {
    if (!(await mayBegin())) {
      return false;
    }
    if (atWork === 0) {
      const leave = await slots.take(signal);
      // Waiting for the slot may have been long.
      if (!(await mayBegin())) {
        leave();
        return false;
      }
      giveBack = leave;
    }
    atWork += 1;
    return true;
  }

  async function enter(signal: AbortSignal): Promise<void> {
    while (!(await tryToEnter(signal))) {
      await sleep(askAgainMs, undefined, { signal });
    }
    // The end may have been asked for while nobody listened.
    if (signal.aborted) {
      exit();
      throw signal.reason;
    }
  }

  function exit(): void {
    atWork -= 1;
    if (atWork === 0) {
      giveBack?.();
    }
  }

  return async (grading, signal) => {
    // One after the other: two that find no slot held must not take two.
    const entered = entering.then(() => enter(signal));
    entering = entered.catch(() => undefined);
    await entered;
    try {
      return await grading();
    } finally {
      exit();
    }
  };
}
