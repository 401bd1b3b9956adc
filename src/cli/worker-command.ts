import { createInterface } from 'node:readline';
import { z } from 'zod';
import { openBacking } from '../compose-service.ts';
import { openWorker } from '../compose-worker.ts';
import type { OpenWorker } from '../compose-worker.ts';
import type { Config } from '../config.ts';
import type { ServiceUrls } from '../open-services.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { untilAborted } from './serve-command.ts';

const UrlsSchema = z.object({ databaseUrl: z.string(), redisUrl: z.string() });

/**
 * Runs a worker until the signal. Without `urls` it is a service's: that one tells them on stdin, and when it is gone,
 * which ends stdin, the worker ends too.
 */
export async function runWorker(
  config: Config,
  options: { urls?: Promise<ServiceUrls> },
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const orphaned = new AbortController();
  const either = AbortSignal.any([signal, orphaned.signal]);
  try {
    const found = options.urls ?? hearUrls(orphaned);
    const urls = await Promise.race([found, untilAborted(either)]);
    if (urls === undefined || either.aborted) {
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

/** The first line of stdin; its end aborts `orphaned`. */
function hearUrls(orphaned: AbortController): Promise<ServiceUrls> {
  process.stdin.on('error', () => orphaned.abort());
  const lines = createInterface({ input: process.stdin }).once('close', () => orphaned.abort());
  return new Promise((resolve, reject) => {
    lines.once('line', (line) => {
      try {
        resolve(UrlsSchema.parse(JSON.parse(line)));
      } catch (error) {
        reject(new Error('the service did not say where database and queue are', { cause: error }));
      }
    });
  });
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
