import { Problem } from '../problems.ts';

const RETRY_SECONDS = 10;

export interface InspectionLine {
  /** Runs `work` when it is its turn. Throws Problem BUSY when too many wait, or the signal's reason. */
  run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

/** A line of bounded length before work that costs memory: `atOnce` run, at most `waiting` wait, in order. */
export function makeInspectionLine(atOnce: number, waiting: number): InspectionLine {
  let running = 0;
  const line: (() => void)[] = [];

  async function turn(signal: AbortSignal): Promise<void> {
    if (running < atOnce) {
      running += 1;
      return;
    }
    if (line.length >= waiting) {
      const detail = 'Many uploads wait to be read. Nothing was taken; try again.';
      throw new Problem('BUSY', detail, { retryAfterSeconds: RETRY_SECONDS });
    }
    await new Promise<void>((resolve, reject) => {
      function called(): void {
        signal.removeEventListener('abort', gone);
        resolve();
      }
      function gone(): void {
        line.splice(line.indexOf(called), 1);
        reject(signal.reason as Error);
      }
      line.push(called);
      signal.addEventListener('abort', gone, { once: true });
    });
  }

  return {
    run: async (work, signal) => {
      signal.throwIfAborted();
      await turn(signal);
      try {
        return await work();
      } finally {
        const next = line.shift();
        if (next === undefined) {
          running -= 1;
        } else {
          // The place goes to the next one, so that nobody slips in between.
          next();
        }
      }
    },
  };
}
