import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { packTar } from '../../src/shared/tar-buffer.ts';
import { call, openChallenge, startAssay, tarOf } from '../helpers/service-processes.ts';
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

it('B22: a service told to end in the middle of uploads takes them or turns them away, and keeps no half of one', async () => {
  const folder = join(home, 'uploads-of-one');
  const service = startAssay(['serve', '--no-worker'], { ...env, ASSAY_PORT: '0', ASSAY_HOME: folder });
  const [, url = ''] = await service.says(/listens on (http:\S+)/);
  const created = startAssay(['token', 'create', '--role', 'admin', '--name', 'b22'], env);
  const [admin] = await created.says(/assay_admin_\S+/);
  const bundle = await tarOf('challenge-specs/url-shortener', ['submissions']);
  const token = await openChallenge(url, admin, bundle, 100);
  const upload = packTar([
    { path: 'server.js', type: 'file', executable: false, content: Buffer.alloc(4 * 1024 ** 2, 1) },
  ]);
  const answers = Array.from({ length: 10 }, () =>
    call(url, token, 'POST', '/v1/submissions', { field: 'archive', file: upload }).then(
      ({ status }) => status,
      () => 0,
    ),
  );
  await Promise.race(answers);
  service.signal('SIGTERM');
  const statuses = await Promise.all(answers);

  expect(await service.ended(), service.output()).toBe(0);
  expect(statuses.filter((status) => ![202, 429, 503, 0].includes(status))).toEqual([]);
  const taken = statuses.filter((status) => status === 202).length;
  expect(taken).toBeGreaterThan(0);
  expect(await readdir(join(folder, 'uploads'))).toEqual([]);
  const client = new pg.Client({ connectionString: database });
  onTestFinished(() => client.end());
  await client.connect();
  const { rows } = await client.query<{ count: string }>('SELECT count(*) FROM submissions');
  expect(Number(rows[0]?.count)).toBe(taken);
}, 120_000);
