import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { InfraError } from '../domain/errors.ts';
import { formatBytes, formatMs } from '../domain/units.ts';
import type { IntakeLimits } from './limits.ts';

const WATCH_INTERVAL_MS = 25;

/** Watches one reading process. */
export interface ReaderGuard {
  /** Throws why the guard killed the process, if it did. */
  throwIfStopped(): void;
  /** Ends the watch, and the process if it still runs. */
  stop(): void;
}

/**
 * Kills the reading process when it uses too much memory (buffers live outside the JavaScript heap, so the
 * heap limit alone does not hold it), passes its deadline, or `signal` aborts. Memory is watched where the
 * kernel shows it under /proc.
 */
export function guardReader(reader: ChildProcess, limits: IntakeLimits, signal: AbortSignal): ReaderGuard {
  let reason: Error | undefined;
  function kill(why?: Error): void {
    reason ??= why;
    reader.kill('SIGKILL');
  }
  function onAbort(): void {
    kill();
  }
  const deadline = setTimeout(() => kill(timedOut(limits)), limits.wallMs);
  const watch = setInterval(() => {
    if (residentBytes(reader.pid) > limits.rssBytes) {
      kill(tooMuchMemory(limits));
    }
  }, WATCH_INTERVAL_MS);
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    throwIfStopped() {
      signal.throwIfAborted();
      if (reason !== undefined) {
        throw reason;
      }
    },
    stop() {
      clearTimeout(deadline);
      clearInterval(watch);
      signal.removeEventListener('abort', onAbort);
      if (reader.exitCode === null && reader.signalCode === null) {
        reader.kill('SIGKILL');
      }
    },
  };
}

function residentBytes(pid: number | undefined): number {
  try {
    const kib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kib ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function timedOut(limits: IntakeLimits): Error {
  const message = `Reading the submission took longer than ${formatMs(limits.wallMs)}.`;
  return new InfraError('INTAKE_TIMEOUT', message, { mend: 'Try again when the machine is less busy.' });
}

function tooMuchMemory(limits: IntakeLimits): Error {
  const message = `The process that reads submissions used more than ${formatBytes(limits.rssBytes)}.`;
  return new InfraError('INTAKE_CRASHED', message, { mend: 'Report it with the submission.' });
}
