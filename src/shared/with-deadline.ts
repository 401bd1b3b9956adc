/**
 * Aborts with `signal`, or `ms` from now. Node 20 forgets the timer behind a combined signal when it collects garbage,
 * and the deadline never comes; a listener of the timer's own keeps it.
 */
export function withDeadline(signal: AbortSignal, ms: number): AbortSignal {
  const timeout = AbortSignal.timeout(ms);
  timeout.addEventListener('abort', () => undefined, { once: true });
  return AbortSignal.any([signal, timeout]);
}
