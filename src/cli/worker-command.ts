import { openBacking, openWorker } from '../compose-service.ts';
import type { Config } from '../config.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { untilAborted } from './serve-command.ts';

/** Runs a worker until the signal, or until the process that started it is gone. */
export async function runWorker(
  config: Config,
  options: { untilStdinEnds: boolean },
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const orphaned = new AbortController();
  if (options.untilStdinEnds) {
    process.stdin.on('end', () => orphaned.abort()).on('error', () => orphaned.abort());
    process.stdin.resume();
  }
  const either = AbortSignal.any([signal, orphaned.signal]);
  const backing = await openBacking(config, either);
  const worker = await openWorker(config, backing);
  const problem = await worker.firstProof;
  io.stderr.write(
    problem === undefined
      ? 'a worker takes runs\n'
      : `the worker takes no runs: the sandbox is not proven (${problem}); it tries again\n`,
  );
  await untilAborted(either);
  await worker.close();
  await backing.close();
  process.stdin.destroy();
  return EXIT.passed;
}
