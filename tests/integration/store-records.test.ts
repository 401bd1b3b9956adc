import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

let services: TestServices;
let store: Store;

beforeAll(async () => {
  services = await openTestServices();
  store = await openPostgresStore({ url: await services.url('postgres') }, 30_000);
});

afterAll(async () => {
  await store?.close();
  await services?.close();
});

async function leased() {
  const { run, submissionId, invitation } = await storedRun(store);
  await store.runs.lease(run.id, 1, 'a', LEASE_MS);
  return { runId: run.id, submissionId, invitation };
}

describe('people', () => {
  it('knows tokens by their hash until they are revoked or expire', async () => {
    const hash = randomBytes(32).toString('hex');
    const admin = { role: 'admin', name: 'root', challenges: null } as const;
    const token = await store.access.addToken({ ...admin, hash, expiresAt: null });
    const old = { ...admin, hash: randomBytes(32).toString('hex'), expiresAt: new Date(Date.now() - 1) };
    await store.access.addToken(old);

    expect(await store.access.authenticate(hash)).toMatchObject({ tokenId: token.id, role: 'admin' });
    expect(await store.access.authenticate(old.hash)).toBeUndefined();
    expect(await store.access.countAdmins()).toBe(1);
    expect(await store.access.revokeToken(token.id)).toBe(true);
    expect(await store.access.authenticate(hash)).toBeUndefined();
    expect(await store.access.revokeToken("' OR true --")).toBe(false);
  });

  it('forgets a deleted candidate and keeps the numbers', async () => {
    const { runId, submissionId, invitation } = await leased();
    await store.runs.finish(runId, 1, 'a', {
      ...PASSED,
      artifacts: [{ name: 'a.txt', contentType: 'text/plain', blob: digestOf(runId), bytes: 1 }],
    });
    const before = await store.submissions.get(submissionId);
    expect(await store.unusedBlobs([digestOf(runId), digestOf('nothing')])).toEqual([digestOf('nothing')]);
    const deleted = await store.access.deleteCandidate(invitation.candidateId);

    expect(deleted?.orphanedBlobs.toSorted()).toEqual(
      [before?.uploadBlob ?? '', before?.tarBlob ?? '', digestOf(runId)].toSorted(),
    );
    expect(await store.submissions.get(submissionId)).toMatchObject({
      candidateName: null,
      tarBlob: null,
      files: [],
    });
    expect(await store.runs.result(runId)).toBeUndefined();
    expect(await store.runs.get(runId)).toMatchObject({ score: 100, verdict: 'passed' });
    await expect(store.runs.regrade(submissionId, before?.versionId ?? '')).rejects.toThrow('no source');
    expect(await store.access.deleteCandidate('nobody')).toBeUndefined();
  });

  it('notes no stage of a run whose candidate was deleted, also when the run is given back', async () => {
    const { runId, invitation } = await leased();
    await store.access.deleteCandidate(invitation.candidateId);
    await store.runs.phase(runId, 1, 'a', 'api', 'begin');
    const options = { countsAsFailure: true, maxFailures: 3, delayMs: 0, reason: 'the engine is away' };
    expect(await store.runs.release(runId, 1, 'a', options)).toBe(true);

    expect(await store.runs.get(runId)).toMatchObject({ state: 'canceled', phase: null, phases: [] });
    const types: string[] = [];
    for await (const { event } of store.events.follow(runId, 0, never)) {
      types.push(event.type);
    }
    expect(types).toEqual(['state', 'end']);
  });
});

describe('a canceled run', () => {
  it('ends as canceled for the reason of whoever asked', async () => {
    const { runId } = await leased();
    await store.runs.cancel(runId, 'Canceled by an admin.');
    const ended = { ...PASSED, state: 'canceled', verdict: null, score: null, reason: 'on request' } as const;
    await store.runs.finish(runId, 1, 'a', ended);

    expect(await store.runs.get(runId)).toMatchObject({ state: 'canceled', reason: 'Canceled by an admin.' });
  });
});

describe('lists', () => {
  it('pages through submissions in every order while rows are added', async () => {
    const version = await storedVersion(store);
    const invitation = await storedInvitation(store, version, { maxAttempts: 50 });
    for (let index = 0; index < 7; index += 1) {
      const accepted = await store.submissions.accept(newSubmission(invitation));
      const runId = accepted.ok ? accepted.run.id : '';
      await store.runs.lease(runId, 1, 'a', LEASE_MS);
      await store.runs.finish(runId, 1, 'a', { ...PASSED, score: index * 10 });
    }
    const filter = { challenges: [version.slug], slug: version.slug };
    for (const sort of ['newest', 'oldest', 'score'] as const) {
      const scores: (number | null)[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.submissions.list(
          { ...filter, sort },
          { limit: 3, ...(cursor === undefined ? {} : { cursor }) },
        );
        scores.push(...page.items.map((item) => item.run.score));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(scores).toHaveLength(7);
      const ascending = scores.toSorted((a, b) => (a ?? 0) - (b ?? 0));
      expect(scores).toEqual(sort === 'oldest' ? ascending : ascending.toReversed());
    }
    expect(
      (await store.submissions.list({ ...filter, sort: 'newest', minScore: 50 }, { limit: 10 })).items,
    ).toHaveLength(2);
    expect((await store.submissions.list({ challenges: [], sort: 'newest' }, { limit: 10 })).items).toEqual(
      [],
    );
    await expect(
      store.submissions.list({ ...filter, sort: 'newest' }, { limit: 3, cursor: 'WyJ4Il0' }),
    ).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('re-grades every counted submission and shows what it is compared with', async () => {
    const { runId, submissionId } = await leased();
    await store.runs.finish(runId, 1, 'a', PASSED);
    const slug = (await store.submissions.get(submissionId))?.slug ?? '';
    const next = await store.challenges.newestPublished(slug);

    expect(await store.runs.regradeAll(slug, next?.id ?? '')).toBe(1);
    const [newest] = await store.runs.listOfSubmission(submissionId);
    expect(newest).toMatchObject({ kind: 'regrade', state: 'queued', previousRunId: runId });
    expect(await store.runs.positionOf(newest?.id ?? '')).toBeGreaterThanOrEqual(0);
  });

  it('put submissions before re-grades, in places and on the way to the queue', async () => {
    const { runId, submissionId } = await leased();
    await store.runs.finish(runId, 1, 'a', PASSED);
    const { versionId = '' } = (await store.submissions.get(submissionId)) ?? {};
    await store.runs.relay(1000, () => Promise.resolve());
    const again = await store.runs.regrade(submissionId, versionId);
    const { run } = await storedRun(store);
    const sent: string[] = [];
    await store.runs.relay(1000, ({ runId: id, kind }) => {
      sent.push(`${id} ${kind}`);
      return Promise.resolve();
    });

    expect(sent).toEqual([`${run.id} first`, `${again.id} regrade`]);
    const [first = 0, later = 0] = [
      await store.runs.positionOf(run.id),
      await store.runs.positionOf(again.id),
    ];
    expect(first).toBeLessThan(later);
    expect(await store.runs.submissionsWait()).toBe(true);
  });

  it('show what a submission was last found to be while it waits to be graded again', async () => {
    const { runId, submissionId } = await leased();
    await store.runs.finish(runId, 1, 'a', PASSED);
    const { slug = '', versionId = '' } = (await store.submissions.get(submissionId)) ?? {};
    async function listed() {
      const page = await store.submissions.list({ challenges: [slug], sort: 'newest' }, { limit: 10 });
      return page.items.map(({ run: { id, state, verdict, score } }) => ({ id, state, verdict, score }));
    }
    const second = await store.runs.regrade(submissionId, versionId);
    expect(await listed()).toEqual([{ id: second.id, state: 'queued', verdict: 'passed', score: 100 }]);
    const third = await store.runs.regrade(submissionId, versionId);
    await store.runs.cancel(third.id, 'no');
    await store.runs.lease(second.id, 1, 'a', LEASE_MS);
    await store.runs.finish(second.id, 1, 'a', { ...PASSED, verdict: 'failed', score: 7 });
    expect(await listed()).toEqual([{ id: third.id, state: 'canceled', verdict: 'failed', score: 7 }]);
  });

  it('runs one check of a version at a time and marks the version', async () => {
    const version = await storedVersion(store);
    const [first, second] = await Promise.all([store.runs.check(version.id), store.runs.check(version.id)]);
    expect(first.id).toBe(second.id);
    await store.runs.lease(first.id, 1, 'a', LEASE_MS);
    await store.runs.finish(first.id, 1, 'a', PASSED);

    expect(await store.challenges.get(version.id)).toMatchObject({ check: { runId: first.id, ok: true } });
  });
});
