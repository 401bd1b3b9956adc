import { spawn } from 'node:child_process';

const KEPT_LINES = 20;

/** A command that ended badly. `tail` holds the last lines it printed. */
export class CommandFailed extends Error {
  constructor(message, tail) {
    super(message);
    this.tail = tail;
  }
}

/**
 * Runs a command to its end; its output goes to the log, and with `show` to the terminal as well.
 * `stdout: stream => Promise` takes the standard output instead. Throws CommandFailed.
 */
export async function run(command, args, { log, cwd, env, show = false, stdout }) {
  const tail = [];
  log.write(`$ ${command} ${args.join(' ')}\n`);
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code === 0 ? undefined : `exit ${code ?? signal}`));
  });
  function take(chunk) {
    log.output(chunk);
    tail.push(...chunk.split('\n').filter((line) => line.trim() !== ''));
    tail.splice(0, Math.max(0, tail.length - KEPT_LINES));
    if (show) {
      process.stderr.write(chunk);
    }
  }
  child.stderr.setEncoding('utf8').on('data', take);
  const taken = stdout ? stdout(child.stdout) : child.stdout.setEncoding('utf8').on('data', take);
  const [reason] = await Promise.all([ended, taken]);
  if (reason !== undefined) {
    throw new CommandFailed(`"${command} ${args[0] ?? ''}" ended with ${reason}`, show ? [] : tail);
  }
}
