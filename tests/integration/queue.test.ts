import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { openBullConsumer } from '../../src/queue/bullmq-consumer.ts';
import { jobIdOf, openBullQueue, QUEUE_NAME, QUEUE_PREFIX } from '../../src/queue/bullmq-queue.ts';
import type {
  Delivery,
  DeliveryHandler,
  GradingConsumer,
  GradingQueue,
} from '../../src/queue/grading-queue.ts';
import { redisAddress, requireNoEviction } from '../../src/queue/redis-settings.ts';
import { openTestServices } from '../helpers/services.ts';
import type { TestServices } from '../helpers/services.ts';

const WITHIN = { timeout: 60_000, interval: 50 };

let services: TestServices;
let url: string;
let redis: Redis;
let queue: GradingQueue;
const consumers: GradingConsumer[] = [];

beforeAll(async () => {
  services = await openTestServices();
  url = await services.url('redis');
  redis = new Redis(url);
});

beforeEach(async () => {
  await redis.flushall();
  queue = openBullQueue(url, () => undefined);
  // It fails at once while it is not connected; in the service the outbox tries again.
  await vi.waitFor(() => queue.ping(), WITHIN);
});

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.close()));
  await queue.close();
});

afterAll(async () => {
  redis?.disconnect();
  await services?.close();
});

function consume(handle: DeliveryHandler): void {
  const consumer = openBullConsumer({ url, slots: 1, handle, onError: () => undefined });
  consumers.push(consumer);
  consumer.start();
}

function delivery(epoch = 1): Delivery {
  return { v: 1, runId: randomUUID(), epoch, kind: 'first' };
}

async function jobState(of: Delivery): Promise<string> {
  const raw = new Queue(QUEUE_NAME, { prefix: QUEUE_PREFIX, connection: redisAddress(url) });
  try {
    const job = await raw.getJob(jobIdOf(of));
    return job ? await job.getState() : 'none';
  } finally {
    await raw.close();
  }
}

it('delivers once what was added twice, and again after it has ended (R3)', async () => {
  const one = delivery();
  await queue.add(one);
  await queue.add(one);
  const seen: Delivery[] = [];
  consume((each) => {
    seen.push(each);
    return Promise.resolve();
  });
  await vi.waitFor(async () => expect(await jobState(one)).toBe('completed'), WITHIN);
  expect(seen).toEqual([one]);

  await queue.add(one);
  await queue.add({ ...one, epoch: 2 });
  await vi.waitFor(() => expect(seen).toHaveLength(3), WITHIN);
});

it('hands out submissions before re-grades, and of these first what was begun before', async () => {
  const regrade: Delivery = { ...delivery(), kind: 'regrade' };
  const begunRegrade: Delivery = { ...delivery(2), kind: 'regrade' };
  const first = delivery();
  for (const each of [regrade, first, begunRegrade]) {
    await queue.add(each);
  }
  const seen: Delivery[] = [];
  consume((each) => {
    seen.push(each);
    return Promise.resolve();
  });

  await vi.waitFor(() => expect(seen).toEqual([first, begunRegrade, regrade]), WITHIN);
});

it('aborts the work whose lock is lost', async () => {
  const one = delivery();
  await queue.add(one);
  const lost = vi.fn();
  let begun = false;
  consume(async (_each, signal) => {
    begun = true;
    await once(signal, 'abort');
    lost();
  });
  await vi.waitFor(() => expect(begun).toBe(true), WITHIN);
  const lock = `${QUEUE_PREFIX}:${QUEUE_NAME}:${jobIdOf(one)}:lock`;
  expect(await redis.exists(lock)).toBe(1);
  await redis.set(lock, 'somebody else');

  await vi.waitFor(() => expect(lost).toHaveBeenCalled(), WITHIN);
});

it('lives through a Redis that forgets everything in the middle of work (R13)', async () => {
  const first = delivery();
  await queue.add(first);
  let release: (() => void) | undefined;
  const done: string[] = [];
  consume(async ({ runId }) => {
    if (runId === first.runId) {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    done.push(runId);
  });
  await vi.waitFor(async () => expect(await jobState(first)).toBe('active'), WITHIN);
  await redis.flushall();
  release?.();
  await vi.waitFor(() => expect(done).toEqual([first.runId]), WITHIN);

  const second = delivery();
  await queue.add(second);
  await vi.waitFor(() => expect(done).toContain(second.runId), WITHIN);
});

it('puts back what another version has added (R17)', async () => {
  const raw = new Queue(QUEUE_NAME, { prefix: QUEUE_PREFIX, connection: redisAddress(url) });
  const job = await raw.add(QUEUE_NAME, { v: 2, something: 'new' }, { jobId: 'run-of-tomorrow' });
  const handle = vi.fn();
  consume(handle);
  const known = delivery();
  await queue.add(known);

  await vi.waitFor(() => expect(handle).toHaveBeenCalledTimes(1), WITHIN);
  expect(handle.mock.calls[0]?.[0]).toEqual(known);
  expect(await job.getState()).toBe('delayed');
  await raw.close();
});

it('refuses a Redis that throws keys away', async () => {
  await expect(requireNoEviction(url)).resolves.toBeUndefined();
  await redis.config('SET', 'maxmemory-policy', 'allkeys-lru');
  try {
    await expect(requireNoEviction(url)).rejects.toMatchObject({ code: 'QUEUE_POLICY' });
  } finally {
    await redis.config('SET', 'maxmemory-policy', 'noeviction');
  }
});

it('says at once that the queue is away', async () => {
  const away = openBullQueue('redis://127.0.0.1:1', () => undefined);
  await expect(away.add(delivery())).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await expect(requireNoEviction('redis://127.0.0.1:1')).rejects.toMatchObject({ code: 'QUEUE_UNAVAILABLE' });
  await away.close();
});
