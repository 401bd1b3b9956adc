import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

const HEARTBEAT_MS = 10_000;

/** Progress for people on stderr, and everything, with the output of the commands, in `<home>/setup.log`. */
export function openLog(home) {
  mkdirSync(home, { recursive: true });
  const path = join(home, 'setup.log');
  const startMs = performance.now();

  function write(text) {
    appendFileSync(path, text);
  }
  function say(text) {
    write(`${text}\n`);
    process.stderr.write(`setup: ${text}\n`);
  }
  function done(name, detail) {
    say(`${name}: ${detail}`);
  }
  /** Runs one step with a line at its start and end, and one every ten seconds between. `work` gets the step's log. */
  async function step(name, work) {
    const stepStartMs = performance.now();
    let lastLine = '';
    /** A command's output: to the file, and its last line to the terminal now and then. */
    function output(chunk) {
      write(chunk);
      lastLine = chunk.trimEnd().split('\n').at(-1) || lastLine;
    }
    say(`${name} …`);
    const heartbeat = setInterval(
      () => say(`${name} … ${seconds(stepStartMs)}  ${lastLine.slice(0, 100)}`),
      HEARTBEAT_MS,
    );
    try {
      const detail = await work({ write, say, output });
      say(`${name}: ${typeof detail === 'string' ? `${detail}, ` : ''}done in ${seconds(stepStartMs)}`);
    } catch (error) {
      error.step ??= name;
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
  }

  write(`\n--- set-up, ${new Date().toISOString()}\n`);
  return { path, write, say, done, step, elapsed: () => seconds(startMs) };
}

function seconds(sinceMs) {
  return `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
}
