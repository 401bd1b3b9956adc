/** Work that several callers may want at the same time and that is done once for all of them. */
export interface SharedWork<T> {
  /**
   * Joins the work under way for `key`, or starts it. The work is aborted when the last caller has left.
   * Ends in the work's value or error, or in the reason of the caller's own `signal`.
   */
  join(
    key: string,
    start: (signal: AbortSignal, report: (line: string) => void) => Promise<T>,
    signal: AbortSignal,
    onProgress?: (line: string) => void,
  ): Promise<T>;
}

interface Flight<T> {
  result: Promise<T>;
  controller: AbortController;
  listeners: Set<(line: string) => void>;
  callers: number;
}

/** Makes an empty set of shared work. Finished work is forgotten at once: this is no cache. */
export function makeSharedWork<T>(): SharedWork<T> {
  const flights = new Map<string, Flight<T>>();
  return {
    async join(key, start, signal, onProgress = () => undefined) {
      signal.throwIfAborted();
      const flight = flights.get(key) ?? launch(flights, key, start);
      // Each caller gets a listener of its own, even when two pass the same function.
      function listener(line: string): void {
        onProgress(line);
      }
      flight.listeners.add(listener);
      flight.callers += 1;
      const leave = new AbortController();
      try {
        return await Promise.race([flight.result, rejectOnAbort(signal, leave.signal)]);
      } finally {
        leave.abort();
        flight.listeners.delete(listener);
        flight.callers -= 1;
        if (flight.callers === 0 && flights.get(key) === flight) {
          flights.delete(key);
          flight.controller.abort(signal.reason);
        }
      }
    },
  };
}

function launch<T>(
  flights: Map<string, Flight<T>>,
  key: string,
  start: (signal: AbortSignal, report: (line: string) => void) => Promise<T>,
): Flight<T> {
  const controller = new AbortController();
  const listeners = new Set<(line: string) => void>();
  const result = start(controller.signal, (line) => {
    for (const listener of listeners) {
      listener(line);
    }
  });
  const flight: Flight<T> = { result, controller, listeners, callers: 0 };
  flights.set(key, flight);
  function forget(): void {
    if (flights.get(key) === flight) {
      flights.delete(key);
    }
  }
  result.then(forget, forget);
  return flight;
}

async function rejectOnAbort(signal: AbortSignal, done: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done });
  });
  throw signal.reason;
}
