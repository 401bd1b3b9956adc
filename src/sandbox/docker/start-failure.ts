import { engineStatus } from './docker-client.ts';

const EXEC_FAILURE =
  /executable file not found|no such file or directory|exec format error|permission denied|is a directory/i;
/** How the engine's init process says that it could not execute the command. */
const INIT_FAILURE = /^\[FATAL tini \(\d+\)\] exec (.{1,200}) failed: (.{1,120})$/m;

/**
 * The reason when the engine refused a start because the command cannot be executed; undefined when the refusal
 * has another reason and is ours.
 */
export function execFailure(error: unknown): string | undefined {
  const status = engineStatus(error);
  if (status !== 400 && status !== 404 && status !== 500) {
    return undefined;
  }
  const text = error instanceof Error ? error.message : '';
  return text.includes(': exec: ') ? EXEC_FAILURE.exec(text)?.[0]?.toLowerCase() : undefined;
}

/** The same, when the init process ran and found that it cannot execute the command: exit code 126 or 127. */
export function initFailure(exitCode: number, output: () => string): string | undefined {
  const match = exitCode === 126 || exitCode === 127 ? INIT_FAILURE.exec(output()) : null;
  return match ? `"${match[1]}": ${match[2]?.toLowerCase()}` : undefined;
}
