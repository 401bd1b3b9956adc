/** Of one key press a process hears twice: the terminal tells every process, and npm hands it on. */
const SAME_MS = 1000;

/**
 * Calls `act` at the first SIGINT or SIGTERM. The same signal a second time, later than it could be an echo of the
 * first, ends the process at once.
 */
export function onInterrupt(act: () => void): void {
  const heardMs = new Map<string, number>();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      const nowMs = performance.now();
      if (heardMs.size === 0) {
        act();
      }
      const firstMs = heardMs.get(name) ?? nowMs;
      heardMs.set(name, firstMs);
      if (nowMs - firstMs > SAME_MS) {
        process.removeAllListeners(name);
        process.kill(process.pid, name);
      }
    });
  }
}
