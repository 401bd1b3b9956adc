import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

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

/** Starts the service and waits for its address. `env` must name a home of its own. */
export async function startService(
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, 'serve'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  const url = await findAddress(child.stdout, ended, signal).catch(async (error: unknown) => {
    child.kill('SIGTERM');
    await ended;
    throw error;
  });
  return {
    url,
    adminToken: async () =>
      (await runAssay(['token', 'create', '--role', 'admin', '--name', 'demo'], env)).trim(),
    stop: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
      await runAssay(['services', 'stop'], env);
    },
  };
}

async function findAddress(
  stdout: NodeJS.ReadableStream,
  ended: Promise<unknown>,
  signal: AbortSignal,
): Promise<string> {
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

/** Runs one command of assay and answers what it printed. */
async function runAssay(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) {
    throw new Error(`"assay ${args[0]}" ended with ${code ?? 'a signal'}`);
  }
  return output;
}
