import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { CheckReportSchema } from '../../src/domain/check-report.ts';
import { freePort } from '../../src/services/service-ports.ts';
import { listLabelled } from '../helpers/engine-objects.ts';
import { call, openChallenge, startAssay, tarOf } from '../helpers/service-processes.ts';
import type { AssayProcess } from '../helpers/service-processes.ts';

const FIXTURE = 'bench/fixtures/trivial';
const VERSION = '/v1/challenges/trivial/versions/1';
const WITHIN = { timeout: 240_000, interval: 100 };
vi.setConfig({ testTimeout: 300_000 });

let home: string;
let url: string;
let service: AssayProcess;
let admin: string;
let candidate: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-check-job-'));
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  const env = { ASSAY_HOME: home, ASSAY_PORT: port, ASSAY_SLOTS: '1', ASSAY_WARM_PODS: '0' };
  service = startAssay(['serve'], env);
  admin = (await service.says(/token, shown only now: (\S+)/))[1] ?? '';
  await service.says(/takes runs/);
  candidate = await openChallenge(url, admin, await tarOf(FIXTURE), 1);
});

afterAll(async () => {
  await service?.stop();
  const reset = startAssay(['services', 'reset', '--yes'], { ASSAY_HOME: home });
  await reset.ended();
  await rm(home, { recursive: true, force: true });
});

interface RunBody {
  id: string;
  state: string;
  phase: string | null;
  startedAt: string;
  finishedAt: string;
  verdict: string | null;
}

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  return (await call(url, admin, method, path, body)).json as T;
}

async function runAs(id: string, facts: Partial<RunBody>): Promise<RunBody> {
  return await vi.waitFor(async () => {
    const run = await ask<RunBody>('GET', `/v1/runs/${id}`);
    expect(run).toMatchObject(facts);
    return run;
  }, WITHIN);
}

/** A check whose gradings have begun. */
async function checkAtWork(): Promise<string> {
  const { id } = await ask<RunBody>('POST', `${VERSION}/check`);
  await runAs(id, { state: 'running', phase: 'gradings' });
  return id;
}

it('a check gives way to a submission, comes to its end, and is read at its run', async () => {
  const id = await checkAtWork();
  const file = await tarOf(`${FIXTURE}/submissions/reference`);
  const taken = await call(url, candidate, 'POST', '/v1/submissions', { field: 'archive', file });
  const { run } = taken.json as { run: RunBody };

  const check = await runAs(id, { state: 'completed', verdict: 'passed' });
  const submission = await ask<RunBody>('GET', `/v1/runs/${run.id}`);
  expect(submission).toMatchObject({ state: 'completed', verdict: 'passed' });
  expect(Date.parse(submission.startedAt)).toBeGreaterThan(Date.parse(check.startedAt));
  expect(Date.parse(submission.finishedAt)).toBeLessThan(Date.parse(check.finishedAt));

  const report = CheckReportSchema.parse(await ask('GET', `/v1/runs/${id}/report`));
  expect(report).toMatchObject({ ok: true, references: [{ name: 'reference', runs: 10, inFull: 10 }] });
  expect(report.mutation.killed).toBeGreaterThan(0);
  expect(await ask('GET', VERSION)).toMatchObject({ check: { runId: id, ok: true } });
});

it('a check that is canceled ends within seconds and leaves nothing', async () => {
  const before = await ask<{ check: { runId: string } }>('GET', VERSION);
  const id = await checkAtWork();
  const install = (await readFile(join(home, 'install-id'), 'utf8')).trim();
  async function sandboxes(): Promise<string[]> {
    const all = await listLabelled(`assay.install=${install}`);
    return all.filter((name) => !/postgres|redis/.test(name));
  }
  await vi.waitFor(async () => expect(await sandboxes()).not.toEqual([]), WITHIN);

  const canceled = await call(url, admin, 'POST', `${VERSION}/check/cancel`);
  expect(canceled).toMatchObject({ status: 202, json: { id, kind: 'check' } });
  await runAs(id, { state: 'canceled', verdict: null });
  await vi.waitFor(async () => expect(await sandboxes()).toEqual([]), WITHIN);

  expect(await ask('GET', VERSION)).toMatchObject({ check: before.check });
  expect(await ask('GET', '/v1/audit?action=challenge.check-cancel')).toMatchObject({
    items: [{ actor: 'first admin', object: 'trivial version 1', details: { run: id } }],
  });
  const again = await call(url, admin, 'POST', `${VERSION}/check/cancel`);
  expect(again).toMatchObject({ status: 409, json: { code: 'RUN_ENDED' } });
});
