/**
 * Lets gradings of one process run side by side without disturbing what is timed: stages share the machine, an
 * exclusive one has it alone. First come, first served, so that neither kind starves.
 */
export interface StageGate {
  /** Resolves when the stage may run; call the answer when it is over. Rejects with the signal's reason. */
  enter(alone: boolean, signal: AbortSignal): Promise<() => void>;
}

interface Waiting {
  alone: boolean;
  open: () => void;
}

export function makeStageGate(): StageGate {
  const queue: Waiting[] = [];
  let inside = 0;
  let aloneInside = false;

  function admit(): void {
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      if (aloneInside || (next.alone && inside > 0)) {
        return;
      }
      queue.shift();
      inside += 1;
      aloneInside = next.alone;
      next.open();
    }
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
        const waiting: Waiting = { alone, open };
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
