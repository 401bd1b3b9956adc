import { openBacking } from '../compose-service.ts';
import { openWorker } from '../compose-worker.ts';
import type { OpenWorker } from '../compose-worker.ts';
import type { Config } from '../config.ts';
import type { ServiceUrls } from '../open-services.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { untilAborted } from './serve-command.ts';

/** Runs a worker until the signal, or until the process that started it is gone. */
export async function runWorker(
  config: Config,
  options: { untilStdinEnds: boolean; urls: Promise<ServiceUrls> },
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const orphaned = new AbortController();
  if (options.untilStdinEnds) {
    process.stdin.on('end', () => orphaned.abort()).on('error', () => orphaned.abort());
    process.stdin.resume();
  }
  const either = AbortSignal.any([signal, orphaned.signal]);
  try {
    const urls = await options.urls;
    if (either.aborted) {
      return EXIT.passed;
    }
    const backing = await openBacking(config, urls);
    try {
      // Told to stop while it starts, it goes no further.
      if (!either.aborted) {
        await work(await openWorker(config, backing), io, either);
      }
    } finally {
      await backing.close();
    }
  } finally {
    process.stdin.destroy();
  }
  return EXIT.passed;
}

async function work(worker: OpenWorker, io: GradeIo, signal: AbortSignal): Promise<void> {
  try {
    await Promise.race([worker.firstProof, untilAborted(signal)]);
    if (signal.aborted) {
      return;
    }
    const problem = await worker.firstProof;
    io.stderr.write(
      problem === undefined
        ? 'a worker takes runs\n'
        : `the worker takes no runs: the sandbox is not proven (${problem}); it tries again\n`,
    );
    await untilAborted(signal);
  } finally {
    await worker.close();
  }
}
