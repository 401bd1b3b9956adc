import { constants } from 'node:os';
import type { ExitCause, ExitReport } from '../../domain/exit-report.ts';
import { formatBytes, formatMs } from '../../domain/units.ts';

/** Why we ended a process ourselves. */
export type EndRequest = 'killed' | 'stopped' | 'timeout' | 'disk';

/** What is known when a container's process has ended. */
export interface ExitFacts {
  exitCode: number;
  oomKilled: boolean;
  pidsLimitHit: boolean;
  wallMs: number;
  /** The first thing we asked for, if anything. */
  requested?: EndRequest;
  /** The command could not be executed at all, in the engine's or the init process's words. */
  startError?: string;
  limits: { memoryBytes: number; pids: number; wallMs?: number; diskBytes?: number };
}

/** Classifies an end. Pure; what we asked for comes first, then the memory limit, then the rest. */
export function toExitReport(facts: ExitFacts): ExitReport {
  const cause = causeOf(facts);
  const signal = signalOf(facts.exitCode);
  return {
    cause,
    exitCode: facts.exitCode,
    ...(signal === undefined ? {} : { signal }),
    oomKilled: facts.oomKilled,
    pidsLimitHit: facts.pidsLimitHit,
    wallMs: Math.round(facts.wallMs),
    message: messageOf(cause, facts, signal),
  };
}

/** "SIGKILL" for 137; undefined when the code is no 128 + n of a signal of this platform. */
export function signalOf(exitCode: number): string | undefined {
  const entry = Object.entries(constants.signals).find(([, number]) => number === exitCode - 128);
  return entry?.[0];
}

function causeOf(facts: ExitFacts): ExitCause {
  if (facts.startError !== undefined) {
    return 'start-failed';
  }
  switch (facts.requested) {
    case 'timeout':
    case 'disk':
      return facts.requested;
    case 'killed':
    case 'stopped':
      return 'killed';
    case undefined:
      break;
    default:
      return facts.requested satisfies never;
  }
  if (facts.oomKilled && facts.exitCode !== 0) {
    return 'oom';
  }
  if (facts.pidsLimitHit && facts.exitCode !== 0) {
    return 'pids';
  }
  return signalOf(facts.exitCode) === undefined ? 'exited' : 'signaled';
}

function messageOf(cause: ExitCause, facts: ExitFacts, signal: string | undefined): string {
  const { limits } = facts;
  switch (cause) {
    case 'start-failed':
      return `It could not be started: ${facts.startError ?? 'the command could not be executed'}.`;
    case 'timeout':
      return limits.wallMs === undefined
        ? 'It was ended because its time was up.'
        : `It was ended because it ran longer than its ${formatMs(limits.wallMs)}.`;
    case 'disk':
      return limits.diskBytes === undefined
        ? 'It was ended because it wrote too much to disk.'
        : `It was ended because it wrote more than its ${formatBytes(limits.diskBytes)} to disk.`;
    case 'oom':
      return oomMessage(facts, signal);
    case 'pids':
      return `It ended with code ${facts.exitCode} after reaching its limit of ${limits.pids} processes and threads.`;
    case 'killed':
      return killedMessage(facts);
    case 'signaled':
      return signal === 'SIGKILL'
        ? `It was ended by signal SIGKILL, which was not ours: most likely it used more than its ${formatBytes(limits.memoryBytes)} of memory.`
        : `It was ended by signal ${signal ?? facts.exitCode - 128}.`;
    case 'exited':
      return `It ended by itself with code ${facts.exitCode}.${remark(facts)}`;
    default:
      return cause satisfies never;
  }
}

function killedMessage(facts: ExitFacts): string {
  if (facts.requested !== 'stopped') {
    return 'It was ended by the grading service.';
  }
  return facts.exitCode === 137
    ? 'It did not end in time after it was asked to stop, and was killed.'
    : `It ended with code ${facts.exitCode} after it was asked to stop.`;
}

function oomMessage(facts: ExitFacts, signal: string | undefined): string {
  const limit = formatBytes(facts.limits.memoryBytes);
  return signal === 'SIGKILL'
    ? `It was ended because it used more than its ${limit} of memory.`
    : `It ended with code ${facts.exitCode} after one of its processes used more than its ${limit} of memory.`;
}

function remark(facts: ExitFacts): string {
  const limit = formatBytes(facts.limits.memoryBytes);
  return facts.oomKilled ? ` Before that it met its memory limit of ${limit}.` : '';
}
