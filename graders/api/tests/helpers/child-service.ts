import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { ControlAction, ControlReply } from '../../../../src/domain/grader-protocol.ts';
import type { Address } from '../../http-client.ts';

const MAX_RESTARTS = 3;

/** A real process with a service, and a host that acts on it when a grader asks. */
export interface ChildService {
  target: Address;
  actions: ControlAction[];
  control: (action: ControlAction) => Promise<Omit<ControlReply, 'id'>>;
  close(): Promise<void>;
}

/** Starts `node -e <source>`; the source listens on $PORT and prints a line when it is ready. */
export async function startChildService(source: string): Promise<ChildService> {
  let port = '0';
  let child: ChildProcess | undefined;
  let asked = false;
  let crashes = 0;
  const actions: ControlAction[] = [];

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['-e', source], {
      env: { PORT: port },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child = started;
    const [line] = (await Promise.race([once(started.stdout, 'data'), once(started, 'exit')])) as [unknown];
    port = /\d{2,}/.exec(String(line))?.[0] ?? port;
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    asked = true;
    if (isRunning(child)) {
      child?.kill(signal);
      await once(child as ChildProcess, 'exit');
    }
  }

  async function resume(): Promise<Omit<ControlReply, 'id'>> {
    if (isRunning(child)) {
      return { ok: true };
    }
    const note = asked ? {} : { note: `It ended by itself with code ${child?.exitCode}.` };
    crashes += asked ? 0 : 1;
    if (crashes > MAX_RESTARTS) {
      return { ok: false, error: `it ended ${crashes} times`, ...note };
    }
    asked = false;
    await start();
    return { ok: true, ...note };
  }

  async function control(action: ControlAction): Promise<Omit<ControlReply, 'id'>> {
    actions.push(action);
    if (action === 'restart' || action === 'stop' || action === 'kill') {
      await end(action === 'kill' ? 'SIGKILL' : 'SIGTERM');
    } else if (action === 'pause' || action === 'resume') {
      child?.kill(action === 'pause' ? 'SIGSTOP' : 'SIGCONT');
    }
    return action === 'restart' || action === 'start' ? await resume() : { ok: true };
  }

  await start();
  return {
    target: { address: '127.0.0.1', port: Number(port) },
    actions,
    control,
    close: () => end('SIGKILL'),
  };
}

function isRunning(child: ChildProcess | undefined): boolean {
  return child !== undefined && child.exitCode === null && child.signalCode === null;
}
