import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from 'bullmq';
import { InfraError } from '../domain/errors.ts';
import type { Delivery, GradingQueue } from './grading-queue.ts';
import { queueAway, redisAddress } from './redis-settings.ts';

export const QUEUE_NAME = 'grade';
/** Checks take long and give way: in a line of their own they keep nobody from a worker's slots. */
export const CHECK_QUEUE_NAME = 'check';
export const QUEUE_PREFIX = 'assay';

const ADD_DEADLINE_MS = 5000;
const DAY_S = 86_400;

/** Behind all submissions, for a job without a priority goes before those that have one; and 1 goes before 2. */
const BEGUN_REGRADE_PRIORITY = 1;
const REGRADE_PRIORITY = 2;

/** The relay's side of the queue: fails at once when Redis is away, for the outbox keeps what was not taken. */
export function openBullQueue(url: string, onError: (error: Error) => void): GradingQueue {
  const [gradings, checks] = [openLine(QUEUE_NAME, url, onError), openLine(CHECK_QUEUE_NAME, url, onError)];
  return {
    add: (delivery) => inTime(() => add(delivery.kind === 'check' ? checks : gradings, delivery)),
    ping: () =>
      inTime(async () => {
        await gradings.getWaitingCount();
      }),
    close: async () => {
      await Promise.all([gradings.close(), checks.close()]);
    },
  };
}

function openLine(name: string, url: string, onError: (error: Error) => void): Queue {
  const queue = new Queue(name, {
    prefix: QUEUE_PREFIX,
    connection: {
      ...redisAddress(url),
      enableOfflineQueue: false,
      maxRetriesPerRequest: 1,
      connectTimeout: 2000,
    },
    defaultJobOptions: {
      attempts: 3,
      backoff: { type: 'exponential', delay: 5000, jitter: 0.5 },
      removeOnComplete: { age: DAY_S, count: 1000 },
      removeOnFail: { age: 7 * DAY_S, count: 1000 },
    },
  });
  queue.on('error', onError);
  return queue;
}

/** The id that one delivery has in the queue; the epoch keeps it apart from earlier gradings of the run. */
export function jobIdOf({ runId, epoch }: Pick<Delivery, 'runId' | 'epoch'>): string {
  return `run-${runId}-${epoch}`;
}

/** A job that is there already is left alone, but for one that has ended: its name would block the new one. */
async function add(queue: Queue, delivery: Delivery): Promise<void> {
  const jobId = jobIdOf(delivery);
  const known = await queue.getJob(jobId);
  if (known && ((await known.isCompleted()) || (await known.isFailed()))) {
    await known.remove();
  }
  await queue.add(queue.name, delivery, { jobId, ...placeOf(delivery) });
}

/** A run that was begun before has waited its turn already, and goes first among its own kind. */
function placeOf({ kind, epoch }: Delivery): { priority: number } | { lifo: boolean } {
  if (kind === 'regrade') {
    // A job with a priority knows no "last in, first out".
    return { priority: epoch > 1 ? BEGUN_REGRADE_PRIORITY : REGRADE_PRIORITY };
  }
  return { lifo: epoch > 1 };
}

async function inTime(work: () => Promise<void>): Promise<void> {
  const ended = new AbortController();
  try {
    await Promise.race([
      work(),
      sleep(ADD_DEADLINE_MS, undefined, { signal: ended.signal }).then(() => {
        throw new InfraError('QUEUE_UNAVAILABLE', `the queue did not answer within ${ADD_DEADLINE_MS} ms`);
      }),
    ]);
  } catch (error) {
    throw error instanceof InfraError ? error : queueAway(error);
  } finally {
    ended.abort();
  }
}
