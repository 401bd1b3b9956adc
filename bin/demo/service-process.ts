import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { GradeIo } from '../../src/cli/grade-command.ts';
import { readConfig } from '../../src/config.ts';

/** The service in a process of its own, as `npm start` would run it. */
export interface ServiceProcess {
  url: string;
  /** A token for an admin, made on the host. */
  adminToken: () => Promise<string>;
  /** Ends the service, then its database and queue. */
  stop: () => Promise<void>;
}

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const STOP_MS = 60_000;

/**
 * Starts the service and waits for its address. `env` must name a home of its own. When it does not get so far, what was
 * started has ended again.
 */
export async function startService(env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<ServiceProcess> {
  const config = readConfig(env);
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');

  async function stop(): Promise<void> {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    child.kill('SIGTERM');
    await ended;
    clearTimeout(timer);
    const { runServices } = await import('../../src/cli/services-command.ts');
    await runServices(['stop'], config, collector().io);
  }

  try {
    const url = await findAddress(child.stdout, ended, signal);
    return {
      url,
      adminToken: async () => {
        const { io, text } = collector();
        const { runToken } = await import('../../src/cli/token-command.ts');
        await runToken(['create', '--role', 'admin', '--name', 'demo'], config, io, signal);
        return text().trim();
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function findAddress(
  stdout: NodeJS.ReadableStream,
  ended: Promise<unknown>,
  signal: AbortSignal,
): Promise<string> {
  signal.throwIfAborted();
  const lines = createInterface({ input: stdout });
  const found = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const match = /listens on (http:\/\/\S+)/.exec(line);
      if (match?.[1] !== undefined) {
        resolve(match[1]);
      }
    });
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
  const died = ended.then(() => {
    throw new Error('the service ended before it listened');
  });
  return await Promise.race([found, died]);
}

/** What a command prints on stdout, kept instead of shown. */
function collector(): { io: GradeIo; text: () => string } {
  const chunks: Buffer[] = [];
  const stdout = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return {
    io: { stdout, stderr: process.stderr, color: false },
    text: () => Buffer.concat(chunks).toString(),
  };
}
