import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StoredRunEvent } from '../../src/domain/run.ts';
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { never } from '../helpers/sandbox.ts';
import { openTestServices } from '../helpers/services.ts';
import type { TestServices } from '../helpers/services.ts';
import {
  digestOf,
  newSubmission,
  PASSED,
  storedInvitation,
  storedRun,
  storedVersion,
} from '../helpers/stored.ts';

const LEASE_MS = 60_000;
const NEVER_STALE = { maxFailures: 3, staleMs: 3_600_000 };

let services: TestServices;
let store: Store;
/** For what the port offers nobody: moving the clock of a row. */
let raw: pg.Client;

beforeAll(async () => {
  services = await openTestServices();
  const url = await services.url('postgres');
  // Two at once: one migrates, the other waits, both find the schema.
  const [first, second] = await Promise.all([
    openPostgresStore({ url }, 30_000),
    openPostgresStore({ url }, 30_000),
  ]);
  await second.close();
  store = first;
  raw = new pg.Client(url);
  await raw.connect();
  // A database this young still lets workers keep their leases.
  await vi.waitFor(
    async () => {
      const { rows } = await raw.query(
        "SELECT pg_postmaster_start_time() < now() - interval '5 seconds' AS old",
      );
      expect(rows).toEqual([{ old: true }]);
    },
    { timeout: 30_000, interval: 200 },
  );
});

afterAll(async () => {
  await raw?.end();
  await store?.close();
  await services?.close();
});

async function leased(worker = 'a') {
  const { run, submissionId, invitation } = await storedRun(store);
  const lease = await store.runs.lease(run.id, 1, worker, LEASE_MS);
  expect(lease).toMatchObject({ epoch: 1, run: { id: run.id, state: 'running', worker } });
  return { runId: run.id, submissionId, invitation };
}

async function expire(runId: string): Promise<void> {
  await raw.query("UPDATE runs SET lease_until = now() - interval '1 second' WHERE id = $1", [runId]);
}

async function eventsOf(runId: string): Promise<StoredRunEvent[]> {
  const events: StoredRunEvent[] = [];
  for await (const event of store.events.follow(runId, 0, never)) {
    events.push(event);
  }
  return events;
}

/** Sends what is due of this run alone; other tests share the outbox. */
async function relayed(runId: string): Promise<number[]> {
  const epochs: number[] = [];
  await store.runs.relay(1000, (delivery) => {
    if (delivery.runId === runId) {
      epochs.push(delivery.epoch);
    }
    return Promise.resolve();
  });
  return epochs;
}

describe('accepting', () => {
  it('writes submission, run, outbox row and webhook delivery at once', async () => {
    const webhook = await store.webhooks.add({
      url: 'https://example.com/hook',
      events: ['submission.received', 'run.completed'],
      secret: 's3cret',
    });
    const { run, submissionId } = await storedRun(store);

    expect(await store.submissions.get(submissionId)).toMatchObject({
      attempt: 1,
      late: false,
      dryRun: false,
    });
    expect(await store.runs.get(run.id)).toMatchObject({ state: 'queued', epoch: 1, kind: 'first' });
    expect(await relayed(run.id)).toEqual([1]);
    const { items } = await store.webhooks.deliveries(webhook.id, { limit: 10 });
    expect(items).toMatchObject([
      { event: 'submission.received', payload: { submission: { id: submissionId } } },
    ]);
    await store.webhooks.remove(webhook.id);
  });

  it('makes one submission of many requests with one key, and refuses another body (R14)', async () => {
    const invitation = await storedInvitation(store, await storedVersion(store));
    const idempotency = { key: 'k\0ey', bodyDigest: digestOf('body') };
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => store.submissions.accept(newSubmission(invitation, { idempotency }))),
    );
    const ids = new Set(answers.map((answer) => (answer.ok ? answer.submission.id : answer.refusal.kind)));

    expect(ids.size).toBe(1);
    expect(answers.filter((answer) => answer.ok && !answer.replayed)).toHaveLength(1);
    const other = { key: 'k\0ey', bodyDigest: digestOf('other') };
    expect(await store.submissions.accept(newSubmission(invitation, { idempotency: other }))).toEqual({
      ok: false,
      refusal: { kind: 'idempotency-conflict' },
    });
  });

  it('never gives more attempts than the invitation has, however they race', async () => {
    const invitation = await storedInvitation(store, await storedVersion(store), { maxAttempts: 2 });
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => store.submissions.accept(newSubmission(invitation))),
    );

    expect(answers.filter((answer) => answer.ok)).toHaveLength(2);
    expect(answers.find((answer) => !answer.ok)).toEqual({
      ok: false,
      refusal: { kind: 'no-attempts', max: 2, used: 2 },
    });
    await store.access.extendInvitation(invitation.id, { extraAttempts: 1 });
    expect(await store.submissions.accept(newSubmission(invitation))).toMatchObject({
      submission: { attempt: 3 },
    });
  });

  it('keeps to the window and marks what is late', async () => {
    const version = await storedVersion(store);
    const past = { opensAt: new Date(Date.now() - 2000), closesAt: new Date(Date.now() - 1000) };
    const closed = await storedInvitation(store, version, past);
    const late = await storedInvitation(store, version, { ...past, late: 'accept-marked' });
    const early = await storedInvitation(store, version, { opensAt: new Date(Date.now() + 60_000) });

    expect(await store.submissions.accept(newSubmission(closed))).toMatchObject({
      refusal: { kind: 'closed' },
    });
    expect(await store.submissions.accept(newSubmission(late))).toMatchObject({ submission: { late: true } });
    expect(await store.submissions.accept(newSubmission(early))).toMatchObject({
      refusal: { kind: 'not-open' },
    });
    await store.access.revokeInvitation(late.id);
    expect(await store.submissions.accept(newSubmission(late))).toMatchObject({
      refusal: { kind: 'revoked' },
    });
    expect(await store.submissions.accept(newSubmission({ id: "x' OR 1=1" }))).toMatchObject({
      refusal: { kind: 'unknown' },
    });
  });
});

describe('leases', () => {
  it('gives a run to one of many workers (G18)', async () => {
    const { run } = await storedRun(store);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) => store.runs.lease(run.id, 1, `w${index}`, LEASE_MS)),
    );
    expect(answers.filter((answer) => answer !== undefined)).toHaveLength(1);
  });

  it('refuses the result of a worker that was taken for dead (R4, R6)', async () => {
    const { runId } = await leased('a');
    await expire(runId);
    const { requeued } = await store.runs.reconcile(NEVER_STALE);
    expect(requeued).toContain(runId);
    expect(await store.runs.heartbeat(runId, 1, 'a', LEASE_MS)).toBe('lost');
    expect(await store.runs.lease(runId, 1, 'b', LEASE_MS)).toBeUndefined();
    expect(await relayed(runId)).toEqual([2]);
    expect(await store.runs.lease(runId, 2, 'b', LEASE_MS)).toMatchObject({ run: { failures: 1 } });

    const late = await Promise.all([
      store.runs.finish(runId, 1, 'a', { ...PASSED, score: 1, verdict: 'failed' }),
      store.runs.finish(runId, 2, 'b', PASSED),
    ]);

    expect(late).toEqual([false, true]);
    expect(await store.runs.get(runId)).toMatchObject({ state: 'completed', verdict: 'passed', score: 100 });
    const results = await raw.query('SELECT epoch FROM results WHERE run_id = $1', [runId]);
    expect(results.rows).toEqual([{ epoch: 2 }]);
  });

  it('is quiet about a second delivery of a finished run (R5), and of a finish that was told twice (R16)', async () => {
    const { runId } = await leased();

    expect(await store.runs.finish(runId, 1, 'a', PASSED)).toBe(true);
    expect(await store.runs.finish(runId, 1, 'a', PASSED)).toBe(true);
    expect(await store.runs.lease(runId, 1, 'b', LEASE_MS)).toBeUndefined();
  });

  it('ends once when it is canceled and finished at the same moment (R9)', async () => {
    const { runId } = await leased();
    await Promise.all([
      store.runs.cancel(runId, 'changed my mind'),
      store.runs.finish(runId, 1, 'a', PASSED),
    ]);

    expect(await store.runs.get(runId)).toMatchObject({ state: 'completed' });
    const ends = (await eventsOf(runId)).filter(({ event }) => event.type === 'end');
    expect(ends).toHaveLength(1);
    expect(await store.runs.cancel(runId, 'again')).toBe(false);
  });

  it('cancels what waits at once, and asks the worker of what runs', async () => {
    const { run } = await storedRun(store);
    expect(await store.runs.cancel(run.id, 'no')).toBe(true);
    expect(await store.runs.get(run.id)).toMatchObject({ state: 'canceled', reason: 'no' });
    expect(await relayed(run.id)).toEqual([]);
    expect(await store.runs.lease(run.id, 1, 'a', LEASE_MS)).toBeUndefined();

    const { runId } = await leased();
    await store.runs.cancel(runId, 'stop');
    expect(await store.runs.heartbeat(runId, 1, 'a', LEASE_MS)).toBe('cancel');
    await store.runs.release(runId, 1, 'a', {
      countsAsFailure: true,
      maxFailures: 3,
      delayMs: 0,
      reason: 'drain',
    });
    expect(await store.runs.get(runId)).toMatchObject({ state: 'canceled', reason: 'stop' });
  });
  it('keeps why it was canceled when the worker hands in what it had', async () => {
    const { runId } = await leased();
    await store.runs.cancel(runId, 'no more');
    await store.runs.finish(runId, 1, 'a', { ...PASSED, state: 'canceled', reason: 'stopped' });
    expect(await store.runs.get(runId)).toMatchObject({ verdict: null, reason: 'no more' });
  });

  it('keeps nothing of a run whose candidate was deleted while it ran', async () => {
    const { runId, invitation } = await leased();
    const log = { type: 'log', source: 'build', text: 'my name is Grace' } as const;
    await store.events.append(runId, 1, [log]);
    await store.access.deleteCandidate(invitation.candidateId);
    await store.events.append(runId, 1, [log]);
    await store.runs.phase(runId, 1, 'a', 'api', 'begin');
    const artifact = { name: 'a.txt', contentType: 'text/plain', blob: digestOf(runId), bytes: 1 };

    expect(await store.runs.finish(runId, 1, 'a', { ...PASSED, artifacts: [artifact] })).toBe(true);
    expect(await store.runs.get(runId)).toMatchObject({ state: 'canceled', verdict: null, score: null });
    expect(await store.runs.result(runId)).toBeUndefined();
    expect(await store.unusedBlobs([artifact.blob])).toEqual([artifact.blob]);
    expect((await eventsOf(runId)).map(({ event }) => event.type)).toEqual(['state', 'end']);
  });

  it('gives a run back without counting it (R11), and gives up after too many failures of ours', async () => {
    const { runId, submissionId, invitation } = await leased();
    const drain = { countsAsFailure: false, maxFailures: 1, delayMs: 0, reason: 'the worker stops' };
    expect(await store.runs.release(runId, 1, 'a', drain)).toBe(true);
    expect(await store.runs.get(runId)).toMatchObject({
      state: 'queued',
      epoch: 2,
      failures: 0,
      worker: null,
    });

    for (const epoch of [2, 3]) {
      await store.runs.lease(runId, epoch, 'a', LEASE_MS);
      const failed = {
        countsAsFailure: true,
        maxFailures: 1,
        delayMs: 3_600_000,
        reason: 'the engine is away',
      };
      expect(await store.runs.release(runId, epoch, 'a', failed)).toBe(true);
    }

    expect(await store.runs.get(runId)).toMatchObject({ state: 'errored', failures: 2, verdict: null });
    expect(await store.submissions.get(submissionId)).toMatchObject({ refunded: true });
    expect(await store.access.getInvitation(invitation.id)).toMatchObject({ usedAttempts: 0 });
    expect(await relayed(runId)).toEqual([]);
    const audit = await store.audit.list({ object: `run/${runId}` }, { limit: 5 });
    expect(audit.items).toMatchObject([{ actor: 'system', action: 'run.errored' }]);
  });

  it('gives up on a run whose workers keep dying (R20)', async () => {
    const { runId } = await leased();
    for (const epoch of [1, 2, 3]) {
      await expire(runId);
      await store.runs.reconcile({ maxFailures: 2, staleMs: 3_600_000 });
      await store.runs.lease(runId, epoch + 1, 'a', LEASE_MS);
    }
    expect(await store.runs.get(runId)).toMatchObject({ state: 'errored', failures: 3 });
  });

  it('lets one of two reconcilers work (R8)', async () => {
    const { runId } = await leased();
    await expire(runId);
    const outcomes = await Promise.all([
      store.runs.reconcile(NEVER_STALE),
      store.runs.reconcile(NEVER_STALE),
    ]);

    expect(outcomes.filter(({ requeued }) => requeued.includes(runId))).toHaveLength(1);
    expect(await store.runs.get(runId)).toMatchObject({ state: 'queued', epoch: 2 });
  });
});

describe('outbox', () => {
  it('sends again what was not marked, and skips what another relay holds (R1, R2, R8)', async () => {
    await relayed('what others have left');
    const { run } = await storedRun(store);
    let sent = 0;
    await expect(
      store.runs.relay(1000, () => {
        sent += 1;
        return Promise.reject(new Error('the queue is away'));
      }),
    ).rejects.toThrow();
    expect(sent).toBe(1);

    let inner: number[] = [];
    let outer = 0;
    await store.runs.relay(1000, async ({ runId }) => {
      if (runId === run.id) {
        outer += 1;
        inner = await relayed(run.id);
      }
    });
    expect({ outer, inner }).toEqual({ outer: 1, inner: [] });
    expect(await relayed(run.id)).toEqual([]);
  });

  it('delivers again what the queue has had for too long, under the same epoch (R13)', async () => {
    const { run } = await storedRun(store);
    expect(await relayed(run.id)).toEqual([1]);
    await store.runs.reconcile(NEVER_STALE);
    expect(await relayed(run.id)).toEqual([]);

    await raw.query("UPDATE runs SET delivered_at = now() - interval '1 hour' WHERE id = $1", [run.id]);
    await store.runs.reconcile({ maxFailures: 3, staleMs: 60_000 });
    expect(await relayed(run.id)).toEqual([1]);
  });
});

describe('events', () => {
  it('follows a run from any point to its end', async () => {
    const { runId } = await leased();
    const seen: StoredRunEvent[] = [];
    const following = (async () => {
      for await (const event of store.events.follow(runId, 1, never)) {
        seen.push(event);
      }
    })();
    await store.runs.phase(runId, 1, 'a', 'build', 'begin');
    await store.events.append(runId, 1, [{ type: 'log', source: 'build', text: 'NUL \0 and \uD800' }]);
    await store.events.append(runId, 7, [{ type: 'log', source: 'build', text: 'of an old lease' }]);
    await store.runs.phase(runId, 1, 'a', 'build', 'end');
    await store.runs.finish(runId, 1, 'a', PASSED);
    await following;

    expect(seen.map(({ seq }) => seq)).toEqual([2, 3, 4, 5, 6, 7]);
    expect(seen.map(({ event }) => event.type)).toEqual(['state', 'stage', 'log', 'stage', 'state', 'end']);
    expect(await store.runs.get(runId)).toMatchObject({
      phases: [{ phase: 'build', endedAt: expect.any(Number) }],
    });
    expect(await eventsOf(runId)).toHaveLength(7);
  });

  it('ends for a run that does not exist, and when it is told to', async () => {
    expect(await eventsOf('nonsense')).toEqual([]);
    const { run } = await storedRun(store);
    const controller = new AbortController();
    for await (const _event of store.events.follow(run.id, 0, controller.signal)) {
      controller.abort();
    }
    expect(controller.signal.aborted).toBe(true);
  });
});

describe('faults', () => {
  it('says within seconds that the database is away', async () => {
    const away = openPostgresStore({ url: 'postgres://app:x@127.0.0.1:1/app' });
    await expect(away).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('refuses a schema that it does not know', async () => {
    await raw.query('INSERT INTO schema_versions (version) VALUES (1000)');
    try {
      await expect(store.ping()).rejects.toMatchObject({ code: 'STORE_SCHEMA_NEWER' });
    } finally {
      await raw.query('DELETE FROM schema_versions WHERE version = 1000');
    }
    await expect(store.ping()).resolves.toBeUndefined();
  });
});
