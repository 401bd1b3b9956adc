import { DelayedError, Worker } from 'bullmq';
import type { Job } from 'bullmq';
import { z } from 'zod';
import { RunKindSchema } from '../domain/run.ts';
import { CHECK_QUEUE_NAME, QUEUE_NAME, QUEUE_PREFIX } from './bullmq-queue.ts';
import type { DeliveryHandler, GradingConsumer } from './grading-queue.ts';
import { redisAddress } from './redis-settings.ts';

const DeliverySchema = z.object({
  v: z.literal(1),
  runId: z.string(),
  epoch: z.number().int(),
  // Deliveries of versions that did not say it stood in the line of submissions.
  kind: RunKindSchema.default('first'),
});
const CHECKS_AT_ONCE = 1;
/** How long a delivery that this version cannot read waits for a worker that can. */
const PUT_BACK_MS = 15_000;
/** The same for one that came to a worker which takes no more. */
const NOT_NOW_MS = 500;

export interface BullConsumerOptions {
  url: string;
  slots: number;
  handle: DeliveryHandler;
  /** Hears of connections that broke, locks that were lost and deliveries that nobody could acknowledge. */
  onError: (error: Error) => void;
}

/** A worker's side of the queue: waits for Redis as long as it takes. Takes nothing before `start`. */
export function openBullConsumer(options: BullConsumerOptions): GradingConsumer {
  const workers = [
    openWorker(QUEUE_NAME, options.slots, options),
    openWorker(CHECK_QUEUE_NAME, CHECKS_AT_ONCE, options),
  ];
  return {
    start: () => workers.forEach((worker) => void worker.run().catch(options.onError)),
    pause: async () => {
      await Promise.all(workers.map((worker) => worker.pause(true)));
    },
    resume: () => workers.forEach((worker) => void worker.resume().catch(options.onError)),
    // By force: the worker has waited for what it works on itself, with a deadline of its own.
    close: async () => {
      await Promise.all(workers.map((worker) => worker.close(true)));
    },
  };
}

function openWorker(name: string, concurrency: number, options: BullConsumerOptions): Worker {
  const worker = new Worker(
    name,
    // Three parameters, none with a default: with fewer the queue makes no signal, and a lost lock would be unheard of.
    (job: Job, token: string | undefined, signal: AbortSignal | undefined) =>
      take(options.handle, job, token, signal),
    {
      prefix: QUEUE_PREFIX,
      connection: { ...redisAddress(options.url), maxRetriesPerRequest: null },
      concurrency,
      lockDuration: 15_000,
      stalledInterval: 5000,
      // Deaths are counted for each run in the store: here they would also hit its neighbours.
      maxStalledCount: 3,
      maxStartedAttempts: 6,
      autorun: false,
    },
  );
  // Without a listener an 'error' would end the process.
  worker.on('error', options.onError);
  worker.on('lockRenewalFailed', (jobIds) => {
    for (const id of jobIds) {
      worker.cancelJob(id, 'lock-lost');
    }
  });
  return worker;
}

async function take(
  handle: DeliveryHandler,
  job: Job,
  token: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const delivery = DeliverySchema.safeParse(job.data);
  if (!delivery.success) {
    return await putBack(job, token, PUT_BACK_MS);
  }
  const outcome = await handle(delivery.data, signal ?? new AbortController().signal);
  if (outcome === 'put-back') {
    await putBack(job, token, NOT_NOW_MS);
  }
}

async function putBack(job: Job, token: string | undefined, delayMs: number): Promise<never> {
  await job.moveToDelayed(new Date().getTime() + delayMs, token);
  throw new DelayedError();
}
