/** What may be at work in a worker at a time. First come, first served. */
export interface Slots {
  /** Resolves when a slot is free; call the answer to give it back. Rejects with the signal's reason. */
  take(signal: AbortSignal): Promise<() => void>;
}

export function makeSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  function giver(): () => void {
    let given = false;
    return () => {
      if (!given) {
        given = true;
        free += 1;
        admit();
      }
    };
  }

  function admit(): void {
    while (free > 0 && waiting.length > 0) {
      free -= 1;
      waiting.shift()?.();
    }
  }

  return {
    take: (signal) =>
      new Promise((resolve, reject) => {
        function giveUp(): void {
          waiting.splice(waiting.indexOf(enter), 1);
          reject(signal.reason as Error);
        }
        function enter(): void {
          signal.removeEventListener('abort', giveUp);
          resolve(giver());
        }
        if (signal.aborted) {
          reject(signal.reason as Error);
          return;
        }
        signal.addEventListener('abort', giveUp, { once: true });
        waiting.push(enter);
        admit();
      }),
  };
}
