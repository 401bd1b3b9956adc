import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LocustEventSchema } from './locust-events.ts';
import type { LocustEvent } from './locust-events.ts';

/** The argument of run_locust.py. */
export interface LocustSettings {
  host: string;
  locustfile: string;
  users: number | null;
  spawnPerSecond: number | null;
  runTimeMs: number;
  warmUpMs: number;
  tags: readonly string[];
  excludeTags: readonly string[];
  /** Which of how many processes that share the users. */
  index: number;
  processes: number;
  /** Where Locust's own files go: the beginning of their paths. */
  prefix: string;
}

/** How a process of Locust ended. */
export interface LocustExit {
  code: number | null;
  /** The last of what it printed, on both streams. */
  log: string;
}

const PROGRAM = fileURLToPath(new URL('run_locust.py', import.meta.url));
const KEPT_LOG_CHARS = 8000;

/** Runs one Locust to its end. `onEvent` gets what it tells; the signal kills it. Rejects for a line that is no event. */
export async function runLocustProcess(
  settings: LocustSettings,
  onEvent: (event: LocustEvent) => void,
  signal: AbortSignal,
): Promise<LocustExit> {
  const child = spawn('python3', [PROGRAM, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const log = keepTail(child);
  const ended = once(child, 'close') as Promise<[number | null]>;
  // Reported when it is awaited; until then a failure to start must not end the process.
  ended.catch(() => undefined);
  try {
    for await (const line of createInterface({ input: child.stdio[3] as Readable })) {
      onEvent(LocustEventSchema.parse(JSON.parse(line)));
    }
    const [code] = await ended;
    return { code, log: log() };
  } finally {
    child.kill('SIGKILL');
  }
}

function keepTail(child: ChildProcess): () => string {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      tail = (tail + text).slice(-KEPT_LOG_CHARS);
    });
  }
  return () => tail.trim();
}
