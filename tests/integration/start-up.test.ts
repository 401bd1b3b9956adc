import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { startAssay } from '../helpers/service-processes.ts';
import { openTestServices } from '../helpers/services.ts';

const services = await openTestServices();
const home = await mkdtemp(join(tmpdir(), 'assay-start-'));
const [database, redis] = await Promise.all([services.url('postgres'), services.url('redis')]);
const env = { ASSAY_HOME: home, DATABASE_URL: database, REDIS_URL: redis };
/** Nothing listens there. */
const NOBODY = '127.0.0.1:1';

afterAll(async () => {
  await services.close();
  await rm(home, { recursive: true, force: true });
});

it.each([
  ['alone', ['serve', '--no-worker']],
  ['with a worker that is just starting', ['serve']],
])('a service whose port is taken says so and ends, %s', async (_name, args) => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;

  const service = startAssay(args, { ...env, ASSAY_PORT: String(port) });

  expect(await service.ended(), service.output()).toBe(3);
  expect(service.output()).toContain(`PORT_TAKEN: port ${port} of 127.0.0.1 is taken`);
});

it('a worker without an engine says so and ends', async () => {
  const worker = startAssay(['worker'], { ...env, DOCKER_HOST: `tcp://${NOBODY}` });

  expect(await worker.ended()).toBe(3);
  expect(worker.output()).toMatch(/assay: ENGINE_\w+: /);
});

it('a service starts while the queue is away, and ends when told to', async () => {
  const service = startAssay(['serve', '--no-worker'], {
    ...env,
    ASSAY_PORT: '0',
    REDIS_URL: `redis://${NOBODY}`,
  });
  const [, token] = await service.says(/First admin token, shown only now: (\S+)/);
  const [, url] = await service.says(/listens on (http:\S+)/);

  const health = await fetch(`${url}/healthz`);
  const answer = await health.json();
  const log = await fetch(`${url}/v1/audit`, { headers: { authorization: `Bearer ${token}` } });

  expect({ status: health.status, answer }).toMatchObject({ status: 200 });
  expect(await log.json()).toMatchObject({
    items: [{ actor: 'system', action: 'token.create', details: { role: 'admin', by: 'the first start' } }],
  });
  expect(await service.stop()).toBe(0);
});
