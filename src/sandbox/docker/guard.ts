import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../../shared/logger.ts';
import type { DockerAddress } from './docker-client.ts';
import type { Owner } from './labels.ts';

/** First line on the guard's stdin. */
export interface GuardJob {
  owner: Owner;
  address: DockerAddress;
}

/** Second line, when the owner has removed everything itself. */
export const GUARD_DISMISSED = 'dismissed';

const DISMISS_DEADLINE_MS = 3000;

export interface Guard {
  /** Ends it. Without `clean` it first removes what the owner has left. */
  dismiss(clean: boolean): Promise<void>;
}

/**
 * Starts a process that outlives us and, when our end of its stdin closes however we die, removes everything that
 * we own on the engine. It has a session of its own, so that an interrupt at the terminal does not reach it.
 */
export function startGuard(job: GuardJob, logger?: Logger): Guard {
  const script = fileURLToPath(
    new URL(`guard-main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
  );
  const loader = script.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  const child = spawn(process.execPath, [...loader, script], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  let dismissed = false;
  child.on('error', (error) => logger?.warn({ err: error }, 'the guard could not be started'));
  child.on('exit', (code) => {
    if (!dismissed) {
      logger?.warn({ code }, 'the guard ended early; after a crash the next start sweeps');
    }
  });
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(job)}\n`);
  child.unref();
  if (child.stdin instanceof Socket) {
    child.stdin.unref();
  }
  return {
    async dismiss(clean) {
      if (dismissed) {
        return;
      }
      dismissed = true;
      const gone = child.exitCode === null ? once(child, 'exit') : undefined;
      child.stdin.end(clean ? `${GUARD_DISMISSED}\n` : '');
      if (clean && gone) {
        child.ref();
        await Promise.race([gone, once(AbortSignal.timeout(DISMISS_DEADLINE_MS), 'abort')]);
        child.unref();
      }
    },
  };
}
