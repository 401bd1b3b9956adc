import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import type { ServiceUrls } from '../open-services.ts';
import type { Logger } from '../shared/logger.ts';

const FIRST_PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 30_000;
/** One that ran so long was sound: its end says nothing about the next. */
const SOUND_MS = 60_000;
/** Beyond the worker's own deadlines for draining. */
const STOP_MS = 40_000;

/** A worker as a child process, started again when it dies. */
export interface SupervisedWorker {
  /** Lets it drain and waits for its end. */
  stop(): Promise<void>;
}

/**
 * Starts the worker. It has a process of its own, so that what grading costs, or breaks, is not the API's. It loads
 * while `urls` are still looked for, and hears of them on its stdin.
 */
export function superviseWorker(
  urls: Promise<ServiceUrls>,
  config: Config,
  logger: Logger,
): SupervisedWorker {
  const ended = new AbortController();
  let child: ChildProcess | undefined;

  async function keepOne(): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (!ended.signal.aborted) {
      const beganMs = performance.now();
      child = startChild(urls, config);
      const exit = await exitOf(child);
      if (ended.signal.aborted) {
        return;
      }
      pauseMs =
        performance.now() - beganMs > SOUND_MS ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      logger.error({ exit, pauseMs }, 'the worker ended; another one follows');
      await sleep(pauseMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  }

  const keeping = keepOne();
  return {
    stop: async () => {
      ended.abort();
      child?.kill('SIGTERM');
      const deadline = setTimeout(() => child?.kill('SIGKILL'), STOP_MS + config.drainMs);
      await keeping;
      // Left running, it would keep this process alive long after everything has ended.
      clearTimeout(deadline);
    },
  };
}

/** Its stdin stays open as long as we live: at its end the worker stops, however we died. */
function startChild(urls: Promise<ServiceUrls>, config: Config): ChildProcess {
  const main = fileURLToPath(new URL('../main.ts', import.meta.url));
  const args = ['--import', import.meta.resolve('tsx'), main, 'worker', '--supervised'];
  const child = spawn(process.execPath, args, {
    stdio: ['pipe', 'inherit', 'inherit'],
    env: config.childEnv,
  });
  // One that has ended reads no more; its end is noticed elsewhere.
  child.stdin.on('error', () => undefined);
  urls.then(
    (found) => child.stdin.write(`${JSON.stringify(found)}\n`),
    // The service ends over it, and the worker with the service.
    () => undefined,
  );
  return child;
}

async function exitOf(child: ChildProcess): Promise<string> {
  try {
    const [code, killedBy] = (await once(child, 'exit')) as [number | null, string | null];
    return code === null ? `signal ${killedBy ?? 'unknown'}` : `exit code ${code}`;
  } catch (error) {
    return error instanceof Error ? error.message : 'it did not start';
  }
}
