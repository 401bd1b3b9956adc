import { setTimeout as sleep } from 'node:timers/promises';
import type { ExitReport } from '../domain/exit-report.ts';
import type { Candidate, Listener, Pod, ProbeResult } from '../sandbox/sandbox-engine.ts';
import type { Clock } from '../shared/clock.ts';

export interface ReadyRule {
  port: number;
  path: string;
  withinMs: number;
  /** Ports of the pod that are not the service's: those of its databases. */
  otherPorts?: readonly number[];
}

/** What became of a start: ready, ended before it was ready, or never answered in time. */
export type Readiness =
  | { kind: 'ready'; address: '127.0.0.1' | '::1'; afterMs: number }
  | { kind: 'ended'; exit: ExitReport }
  | { kind: 'not-ready'; last: ProbeResult; listeners: Listener[] };

const FIRST_PAUSE_MS = 5;
const LONGEST_PAUSE_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;

/**
 * Probes from inside the pod until the service answers 2xx, its process ends, or `withinMs` has passed.
 * The pauses between probes grow, so that a quick service costs nothing and a slow one is not hammered.
 */
export async function waitReady(
  pod: Pod,
  candidate: Candidate,
  rule: ReadyRule,
  clock: Clock,
  signal: AbortSignal,
): Promise<Readiness> {
  const started = clock.elapsedMs();
  const ended = candidate.exit().then((exit) => ({ kind: 'ended', exit }) as const);
  let last: ProbeResult = { kind: 'refused' };
  let pauseMs = FIRST_PAUSE_MS;
  while (clock.elapsedMs() - started < rule.withinMs) {
    signal.throwIfAborted();
    const outcome = await Promise.race([ended, pod.probe(rule.port, rule.path, PROBE_TIMEOUT_MS)]);
    if (outcome.kind === 'ended') {
      return outcome;
    }
    if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) {
      return { kind: 'ready', address: outcome.address, afterMs: clock.elapsedMs() - started };
    }
    last = outcome;
    await sleep(pauseMs, undefined, { signal });
    pauseMs = Math.min(pauseMs * 1.3, LONGEST_PAUSE_MS);
  }
  if (!candidate.running) {
    return await ended;
  }
  const listeners = (await pod.listeners()).filter(({ port }) => rule.otherPorts?.includes(port) !== true);
  return { kind: 'not-ready', last, listeners };
}
