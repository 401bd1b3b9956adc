import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startSidecars } from '../../src/grading/sidecars.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import type { Pod } from '../../src/sandbox/sandbox-engine.ts';
import { candidateOf, makeTestSandbox, never, type TestSandbox } from '../helpers/sandbox.ts';

/** Writes to both, prints what it sees, and does what `$ACT` says. */
const CANDIDATE = `
import os, psycopg, redis, sys
url = os.environ["DATABASE_URL"]
with psycopg.connect(url, autocommit=True) as db:
    db.execute("create table if not exists lives (at timestamptz default now())")
    db.execute("insert into lives default values")
    print("lives", db.execute("select count(*) from lives").fetchone()[0])
    print("listens", db.execute("show listen_addresses").fetchone()[0])
    print("superuser", db.execute("select rolsuper from pg_roles where rolname = current_user").fetchone()[0])
    try:
        psycopg.connect(url.replace(":" + url.split(":")[2].split("@")[0] + "@", ":wrong@"))
    except psycopg.OperationalError as error:
        print("refused", "password authentication failed" in str(error))
cache = redis.Redis.from_url(os.environ["REDIS_URL"])
print("visits", cache.incr("visits"))
sys.stdout.flush()
if os.environ.get("ACT") == "shutdown":
    cache.shutdown(nosave=True)
`;

let sandbox: TestSandbox;
let images: ReturnType<typeof makeImageStore>;
let pod: Pod;

beforeAll(async () => {
  sandbox = await makeTestSandbox();
  images = makeImageStore({
    client: sandbox.client,
    root: resolve('.'),
    cacheDir: join(tmpdir(), 'assay-test-cache'),
    childEnv: process.env,
  });
  await Promise.all(['runtime-python', 'postgres', 'redis'].map((name) => images.image(name, never)));
  pod = await sandbox.engine.openPod({ run: 'sidecars', epoch: 1 }, never);
});

afterEach(async () => {
  await pod.destroy();
  expect(await sandbox.leftovers()).toEqual([]);
});

afterAll(() => sandbox.engine.close());

it('serve the candidate alone, over its lives, and its shutting one down is told', async () => {
  const names = ['postgres', 'redis'] as const;
  const engine = { image: (name: string) => images.image(name, never) };
  const context = { engine, pod, wallMs: 60_000 };
  const sidecars = await startSidecars(names, context, never);
  const listeners = (await pod.listeners()).map(({ address, port }) => `${address} ${port}`).toSorted();
  expect(listeners).toEqual(['127.0.0.1 5432', '127.0.0.1 6379', '::1 5432', '::1 6379']);

  const image = await images.image('runtime-python', never);
  const spec = candidateOf(image, ['python3', '-c', CANDIDATE]);
  const candidate = await pod.startCandidate({ ...spec, env: sidecars.env }, never);
  expect(await candidate.exit()).toMatchObject({ exitCode: 0 });
  await candidate.start(never);
  await candidate.exit();
  const lines = candidate.log().text.trim().split('\n');
  const common = ['listens 127.0.0.1,::1', 'superuser False', 'refused True'];
  expect(lines).toEqual(['lives 1', ...common, 'visits 1', 'lives 2', ...common, 'visits 2']);
  expect(await sidecars.trouble()).toBeUndefined();

  const vandal = await pod.startCandidate({ ...spec, env: { ...sidecars.env, ACT: 'shutdown' } }, never);
  await vandal.exit();
  await expect.poll(() => sidecars.trouble(), { timeout: 10_000 }).toMatchObject({ blame: 'candidate' });
  await sidecars.remove();
  expect(await pod.listeners()).toEqual([]);
});
