import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { Redis } from 'ioredis';
import { listServices, stopServices } from '../../src/services/own-services.ts';
import { openTestServices } from '../helpers/services.ts';

const one = await openTestServices();
const other = await openTestServices();

afterAll(async () => {
  await Promise.all([one.close(), other.close()]);
});

it('keeps two installations apart, and data over a stop; a taken port is left to whoever has it', async () => {
  const [first, same, second] = await Promise.all([one.url('redis'), one.url('redis'), other.url('redis')]);
  expect(same).toBe(first);
  expect(second).not.toBe(first);
  await withRedis(first, (redis) => redis.set('kept', 'yes'));
  await withRedis(second, async (redis) => expect(await redis.get('kept')).toBeNull());
  expect((await stat(join(one.host.home, 'services.json'))).mode & 0o777).toBe(0o600);

  expect(await stopServices(one.host)).toHaveLength(1);
  const port = Number(new URL(first).port);
  const thief = createServer().listen(port, '127.0.0.1');
  await once(thief, 'listening');
  const moved = await one.url('redis');
  expect(Number(new URL(moved).port)).not.toBe(port);
  await withRedis(moved, async (redis) => expect(await redis.get('kept')).toBe('yes'));
  thief.close();

  const states = await listServices(one.host);
  expect(states.map(({ service, state }) => [service, state?.running ?? false])).toEqual([
    ['postgres', false],
    ['redis', true],
  ]);
});

it('comes up once for several that want it, however far apart they ask', async () => {
  for (const stopped of [false, true]) {
    if (stopped) {
      await stopServices(other.host);
    }
    const urls = await Promise.all(
      [0, 10, 40, 120, 300].map(async (laterMs) => {
        await sleep(laterMs);
        return await other.url('postgres');
      }),
    );
    expect(new Set(urls).size).toBe(1);
  }
});

async function withRedis(url: string, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}
