import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { inspectService, serviceContainerName } from '../../src/services/service-container.ts';
import type { ServiceName } from '../../src/services/service-container.ts';
import { freePort } from '../../src/services/service-ports.ts';
import { readServicePasswords } from '../../src/services/service-secrets.ts';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makePrng } from '../../graders/shared/prng.ts';
import { runPool } from '../../src/shared/run-pool.ts';
import { listLabelled } from '../helpers/engine-objects.ts';
import { call, openChallenge, startAssay, tarOf } from '../helpers/service-processes.ts';
import type { AssayProcess } from '../helpers/service-processes.ts';

const TRIVIAL = fileURLToPath(new URL('../../bench/fixtures/trivial', import.meta.url));
const SUBMISSIONS = 30;
/** Uploads that one candidate may have on their way at once. */
const LANES = 4;
const SEED = 'faults-1';
const WITHIN = { timeout: 400_000, interval: 100 };
/** What design promises on a machine that is not overloaded; the test allows a slow one more. */
const RECOVERY_MS = 20_000;
const SLOW_MACHINE = 3;

const client = new DockerClient({ socketPath: '/var/run/docker.sock' });
let home: string;
let install: string;
let env: Record<string, string>;
let url: string;
let api: AssayProcess;
let workers: AssayProcess[];
let db: pg.Pool;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-faults-'));
  const port = String(await freePort());
  env = { ASSAY_HOME: home, ASSAY_PORT: port, ASSAY_SLOTS: '1', ASSAY_WARM_PODS: '1' };
  url = `http://127.0.0.1:${port}`;
  api = startAssay(['serve', '--no-worker'], env);
  await api.says(/assay listens on/);
  install = (await readFile(join(home, 'install-id'), 'utf8')).trim();
  db = await openDatabase();
  workers = [startAssay(['worker'], env), startAssay(['worker'], env)];
  await Promise.all(workers.map((worker) => worker.says(/takes runs/)));
});

afterAll(async () => {
  await Promise.all([api, ...(workers ?? [])].map((each) => each?.kill()));
  await db?.end();
  const reset = startAssay(['services', 'reset', '--yes'], { ASSAY_HOME: home });
  await reset.says(/Removed/);
  await rm(home, { recursive: true, force: true });
});

async function openDatabase(): Promise<pg.Pool> {
  const state = await inspectService(client, install, 'postgres');
  const { postgres } = await readServicePasswords(home);
  const pool = new pg.Pool({ connectionString: `postgres://app:${postgres}@127.0.0.1:${state?.port}/app` });
  pool.on('error', () => undefined);
  return pool;
}

/** Asks again while the database is being killed. */
async function query<T extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<T[]> {
  return await vi.waitFor(async () => (await db.query<T>(text, values)).rows, WITHIN);
}

/** Hands in until it is taken, with one key: that is what a client has to do, and all. */
async function handIn(token: string, archive: Buffer): Promise<string> {
  const key = randomUUID();
  for (;;) {
    try {
      const answer = await call(
        url,
        token,
        'POST',
        '/v1/submissions',
        { field: 'archive', file: archive },
        { 'idempotency-key': key },
      );
      if (answer.status === 202) {
        return answer.json['id'] as string;
      }
      // Busy, or its database is away: it says so, and when to come again.
      expect([429, 500, 503], JSON.stringify(answer.json)).toContain(answer.status);
      await sleep(Number(answer.headers.get('retry-after') ?? 0) * 1000);
    } catch (error) {
      // The connection broke or nobody listens; what is no such thing fails the test.
      if (!(error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError'))) {
        throw error;
      }
    }
    await sleep(200);
  }
}

async function countEnded(): Promise<number> {
  const [row] = await query<{ count: number }>(
    "SELECT count(*)::int AS count FROM runs WHERE state IN ('completed', 'errored', 'canceled')",
  );
  return row?.count ?? 0;
}

/** Kills a worker in the middle of a run, starts another, and answers how long the run was left alone, ms. */
async function killWorker(index: number): Promise<number> {
  const worker = workers[index];
  const held = await vi.waitFor(async () => {
    // Frozen first: what it holds then, it still holds when it dies.
    worker?.signal('SIGSTOP');
    const [run] = await query<{ id: string; epoch: number }>(
      "SELECT id, epoch FROM runs WHERE state = 'running' AND worker LIKE $1",
      [`%-${worker?.pid}-%`],
    );
    if (run === undefined) {
      worker?.signal('SIGCONT');
    }
    return run ?? Promise.reject(new Error('it holds no run'));
  }, WITHIN);
  await worker?.kill();
  const killedMs = performance.now();
  workers[index] = startAssay(['worker'], env);
  await vi.waitFor(async () => {
    const rows = await query("SELECT id FROM runs WHERE id = $1 AND epoch > $2 AND state <> 'queued'", [
      held?.id,
      held?.epoch,
    ]);
    expect(rows).toHaveLength(1);
  }, WITHIN);
  const leftMs = performance.now() - killedMs;
  await workers[index]?.says(/takes runs/);
  return leftMs;
}

async function killApi(): Promise<void> {
  await api.kill();
  api = startAssay(['serve', '--no-worker'], env);
  await api.says(/assay listens on/);
}

async function killService(service: ServiceName): Promise<void> {
  const container = client.api.getContainer(serviceContainerName(install, service));
  await container.kill({ signal: 'SIGKILL' });
  await container.start();
  await vi.waitFor(async () => expect((await container.inspect()).State.Running).toBe(true), WITHIN);
}

it('brings every accepted submission to one end while everything is killed in turn', async () => {
  const adminToken = (await api.says(/token, shown only now: (\S+)/))[1] ?? '';
  const bundle = await tarOf(TRIVIAL);
  const archive = await tarOf(join(TRIVIAL, 'submissions/reference'));
  const token = await openChallenge(url, adminToken, bundle, SUBMISSIONS + 1);
  const random = makePrng(SEED);

  const turns = Array.from({ length: SUBMISSIONS }, (_, index) => index);
  const handingIn = runPool(turns, LANES, () => handIn(token, archive));
  const recoveries: number[] = [];
  const faults = [
    async () => void recoveries.push(await killWorker(0)),
    killApi,
    () => killService('redis'),
    () => killService('postgres'),
    async () => void recoveries.push(await killWorker(1)),
  ];
  for (const [index, fault] of faults.entries()) {
    // At a random point of the work, not of time: a slow machine is hit at the same places.
    const goal = index * 4 + random.int(0, 3);
    await vi.waitFor(async () => expect(await countEnded()).toBeGreaterThanOrEqual(goal), WITHIN);
    await fault();
  }

  const ids = await handingIn;
  expect(new Set(ids).size).toBe(SUBMISSIONS);
  await vi.waitFor(async () => expect(await countEnded()).toBeGreaterThanOrEqual(SUBMISSIONS), WITHIN);

  const runs = await query<{
    submission: string;
    state: string;
    verdict: string;
    results: number;
    same: boolean;
  }>(
    `SELECT r.submission_id AS submission, r.state, r.verdict, count(x.run_id)::int AS results,
        bool_and(x.epoch = r.epoch) AS same
      FROM runs r LEFT JOIN results x ON x.run_id = r.id GROUP BY r.id`,
  );
  expect(runs.map((run) => run.submission).toSorted()).toEqual(ids.toSorted());
  expect(runs.filter((run) => run.state !== 'completed' || run.verdict !== 'passed')).toEqual([]);
  expect(runs.filter((run) => run.results !== 1 || !run.same)).toEqual([]);
  const ends = await query<{ count: number }>(
    `SELECT count(*)::int AS count FROM run_events WHERE event->>'type' = 'end' GROUP BY run_id`,
  );
  expect(ends).toEqual(Array.from({ length: SUBMISSIONS }, () => ({ count: 1 })));

  process.stdout.write(
    `recovery after a worker's death: ${recoveries.map((ms) => `${Math.round(ms)} ms`).join(', ')}\n`,
  );
  expect(Math.max(0, ...recoveries)).toBeLessThan(RECOVERY_MS * SLOW_MACHINE);

  expect(await Promise.all([api, ...workers].map((each) => each.stop()))).toEqual([0, 0, 0]);
  await vi.waitFor(async () => {
    const left = await listLabelled(`assay.install=${install}`);
    expect(left.filter((name) => !name.includes(`${install}-`))).toEqual([]);
  }, WITHIN);
}, 900_000);
