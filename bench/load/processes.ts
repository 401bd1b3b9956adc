import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Servers and generators have a CPU each, and go before what else wants it: all of them alike. */
const FIRST = ['nice', '-n', '-20', 'taskset', '-c'] as const;
export const SERVER_CPU = '0';
const GENERATOR_CPU = '1';
/** The kernel counts CPU time in hundredths of a second. */
const SECONDS_PER_TICK = 0.01;

export interface Target {
  /** Requests since its start. */
  served(): Promise<number>;
  /** What 99 in 100 of its timed answers were late at the most, ms. */
  lateP99(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a server of the image on `port` and waits until it listens. */
export async function startTarget(port: number, mode: readonly string[]): Promise<Target> {
  const [command, ...args] = FIRST;
  const child = spawn(command, [...args, SERVER_CPU, 'target', String(port), ...mode], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  await once(lines, 'line');
  async function ask(field: 0 | 1): Promise<number> {
    const line = once(lines, 'line') as Promise<[string]>;
    child.kill('SIGUSR1');
    return Number((await line)[0].split(' ')[field]);
  }
  return {
    served: () => ask(0),
    lateP99: async () => (await ask(1)) / 1000,
    stop: () => end(child, 'SIGKILL'),
  };
}

/** Starts a generator as the leader of a process group of its own. */
export function startGenerator(command: readonly string[]): ChildProcess {
  const [first, ...args] = FIRST;
  return spawn(first, [...args, GENERATOR_CPU, ...command], { stdio: 'pipe', detached: true });
}

/** CPU time that the group of a generator has used, seconds. */
export function cpuSeconds(leader: ChildProcess): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? readStat(entry) : undefined;
    if (stat?.group === leader.pid) {
      ticks += stat?.ticks ?? 0;
    }
  }
  return ticks * SECONDS_PER_TICK;
}

function readStat(pid: string): { group: number; ticks: number } | undefined {
  try {
    // The name, in brackets, may hold blanks.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .map(Number);
    return { group: fields[2] ?? 0, ticks: (fields[11] ?? 0) + (fields[12] ?? 0) };
  } catch {
    return undefined;
  }
}

/** Everything that a process printed, once it has ended. Rejects when it failed. */
export async function outputOf(child: ChildProcess, okCodes: readonly number[] = [0]): Promise<string> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code === null || !okCodes.includes(code)) {
    throw new Error(`${child.spawnargs.join(' ')} ended with ${code}: ${err.slice(-2000)}`);
  }
  return out;
}

/** Ends a process that may have ended, with its group where it leads one. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) {
    return;
  }
  const closed = once(child, 'exit');
  child.kill(signal);
  await closed;
}

export function later(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
