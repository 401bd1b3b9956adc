import { createHmac, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LightMyRequestResponse } from 'fastify';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { assembleReport } from '../../src/report/assemble.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { makeAllowRule } from '../../src/webhooks/allow-rule.ts';
import { sendDue } from '../../src/webhooks/webhook-sender.ts';
import { finishWith, gradedSubmission } from '../helpers/graded.ts';
import { openHttpService } from '../helpers/http-service.ts';
import type { Caller, HttpService } from '../helpers/http-service.ts';
import { SAMPLE_RUNS } from '../helpers/report-samples.ts';
import { digestOf, newSubmission, storedVersion } from '../helpers/stored.ts';

/** The only address besides the internet's that webhooks may go to here. */
const HOOKS = '127.0.0.1';

let service: HttpService;
let admin: Caller;
let reviewer: Caller;
beforeAll(async () => {
  service = await openHttpService({}, makeAllowRule([HOOKS]));
  admin = await service.staff('admin');
  reviewer = await service.staff('reviewer');
});
afterAll(() => service?.close());

describe('reviews', () => {
  it('are one per reviewer, by items of the rubric, and seen by all who may see the submission', async () => {
    const { slug, title, blind, bundleBlob, policy } = await storedVersion(service.store);
    const rubric = [{ id: 'naming', title: 'Naming' }];
    const rated = await service.store.challenges.addVersion({
      slug,
      title,
      blind,
      bundleBlob,
      digest: digestOf(slug),
      policy: { ...policy, rubric },
    });
    const { id } = await gradedSubmission(service.store, await service.candidate(rated.version));
    const url = `/v1/submissions/${id}/reviews`;
    const wrong = await reviewer.ask('POST', url, { scores: { beauty: 3 } });
    expect(wrong.json()).toMatchObject({ code: 'INVALID_FIELDS', errors: [{ field: 'scores.beauty' }] });
    expect((await reviewer.ask('POST', url, { scores: { naming: 5 } })).statusCode).toBe(400);

    await reviewer.ask('POST', url, { scores: { naming: 2 }, notes: 'first look' });
    const second = await reviewer.ask('POST', url, { scores: { naming: 3 }, decision: 'advance' });
    expect(second.json()).toMatchObject({ mine: true, decision: 'advance', notes: '' });
    await admin.ask('POST', url, { notes: 'I agree' });

    expect((await admin.ask('GET', url)).json()).toMatchObject({
      items: [
        { mine: false, scores: { naming: 3 } },
        { mine: true, notes: 'I agree', decision: null },
      ],
    });
  });
});

interface Received {
  headers: IncomingHttpHeaders;
  body: string;
}

/** A receiver of webhooks that answers these statuses, one after the other. */
async function receiver(...statuses: number[]): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      response.writeHead(statuses[received.length - 1] ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, HOOKS, resolve));
  onTestFinished(() => void server.close());
  return { url: `http://${HOOKS}:${(server.address() as AddressInfo).port}/hook`, received };
}

async function deliverAll(): Promise<void> {
  const deps = {
    webhooks: service.store.webhooks,
    rule: makeAllowRule([HOOKS]),
    clock: systemClock,
    logger: pino({ level: 'silent' }),
  };
  let sent: number;
  do {
    sent = await sendDue(deps);
  } while (sent > 0);
}

describe('webhooks', () => {
  it.each([
    'http://169.254.169.254/latest/meta-data',
    'http://127.0.0.2:5432/',
    'http://[::ffff:10.0.0.1]/',
    'https://user:secret@example.com/',
  ])('C15: are not made for %s', async (url) => {
    const answer = await admin.ask('POST', '/v1/webhooks', { url, events: ['run.completed'] });

    expect([answer.statusCode, answer.json()]).toEqual([
      422,
      expect.objectContaining({ code: 'WEBHOOK_REFUSED', mend: expect.stringContaining('ALLOW') as string }),
    ]);
  });

  it('are logged, sent again on request, and signed so that a receiver can tell', async () => {
    const { url, received } = await receiver(500, 200);
    const events = ['review.decided'];
    const made = await admin.ask('POST', '/v1/webhooks', { url, events });
    const { id, secret } = made.json<{ id: string; secret: string }>();
    onTestFinished(async () => void (await admin.ask('DELETE', `/v1/webhooks/${id}`)));
    expect((await admin.ask('GET', '/v1/webhooks')).body).not.toContain(secret);
    const submission = await gradedSubmission(service.store, await service.candidate());
    await reviewer.ask('POST', `/v1/submissions/${submission.id}/reviews`, { decision: 'hold' });

    await deliverAll();
    const log = `/v1/webhooks/${id}/deliveries`;
    const { items } = (await admin.ask('GET', log)).json<{ items: { id: string }[] }>();
    expect(items).toMatchObject([
      { event: 'review.decided', state: 'pending', attempts: 1, lastStatus: 500, lastError: 'answered 500' },
    ]);
    const again = `${log}/${items[0]!.id}/redeliver`;
    const ofAnother = `/v1/webhooks/${randomUUID()}/deliveries/${items[0]!.id}/redeliver`;
    expect((await admin.ask('POST', ofAnother)).statusCode).toBe(404);
    expect((await admin.ask('GET', log)).json()).toMatchObject({ items: [{ attempts: 1 }] });
    expect((await admin.ask('POST', again)).statusCode).toBe(202);
    await deliverAll();

    expect((await admin.ask('GET', log)).json()).toMatchObject({
      items: [{ state: 'delivered', lastStatus: 200, lastError: null }],
    });
    expect(received).toHaveLength(2);
    expect(received[1]?.body).toBe(received[0]?.body);
    expect(JSON.parse(received[1]!.body)).toMatchObject({
      id: items[0]!.id,
      event: 'review.decided',
      data: { submission: { id: submission.id }, review: { decision: 'hold' } },
    });
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(received[1]!.headers['assay-signature']))!;
    expect(createHmac('sha256', secret).update(`${t}.${received[1]!.body}`).digest('hex')).toBe(v1);
    expect(Math.abs(Date.now() / 1000 - Number(t))).toBeLessThan(600);
  });

  it('hear of the end of runs, and of no names', async () => {
    const { url, received } = await receiver();
    const hook = { url, events: ['submission.received', 'run.completed', 'run.errored'] };
    const { id } = (await admin.ask('POST', '/v1/webhooks', hook)).json<{ id: string }>();
    const named = { candidate: { name: 'Canary McCanary', email: 'canary@example.com' } };
    const { runId } = await gradedSubmission(service.store, await service.candidate(undefined, named));
    await deliverAll();

    const told = received.map(({ headers }) => String(headers['assay-event']));
    expect(told.toSorted()).toEqual(['run.completed', 'submission.received']);
    expect(JSON.stringify(received)).toContain(runId);
    expect(JSON.stringify(received)).not.toMatch(/canary/i);
    expect((await admin.ask('DELETE', `/v1/webhooks/${id}`)).statusCode).toBe(204);
    expect((await admin.ask('DELETE', `/v1/webhooks/${id}`)).statusCode).toBe(404);
    const gone = `/v1/webhooks/${id}/deliveries/${randomUUID()}/redeliver`;
    expect((await admin.ask('POST', gone)).statusCode).toBe(404);
  });
});

/** Everything in a list, page by page. */
async function walk(url: string, of: 'items' | 'entries'): Promise<object[]> {
  const all: object[] = [];
  let cursor: string | null = null;
  do {
    const page: LightMyRequestResponse = await admin.ask(
      'GET',
      cursor === null ? url : `${url}&cursor=${cursor}`,
    );
    const body = page.json<{ nextCursor: string | null } & Record<string, object[]>>();
    all.push(...(body[of] ?? []));
    cursor = body.nextCursor;
  } while (cursor !== null);
  return all;
}

describe('tokens', () => {
  it('are listed page by page, those of candidates only on request', async () => {
    await service.candidate();
    const all = await walk('/v1/tokens?limit=2&candidates=true', 'items');
    const staff = await walk('/v1/tokens?limit=1', 'items');

    expect(all).toEqual((await admin.ask('GET', '/v1/tokens?limit=100&candidates=true')).json<Items>().items);
    expect(staff).toEqual(all.filter((token) => (token as { role: string }).role !== 'candidate'));
    expect(staff.length).toBeGreaterThanOrEqual(2);
    expect(all.length).toBeGreaterThan(staff.length);
  });
});

interface Items {
  items: object[];
}

describe('grading again', () => {
  it('keeps the first result and shows what changed', async () => {
    const version = await storedVersion(service.store);
    const candidate = await service.candidate(version);
    const { id, runId } = await gradedSubmission(service.store, candidate);
    await storedVersion(service.store, version.slug);
    const first = (await reviewer.ask('GET', `/v1/runs/${runId}/report`)).json<Report>();

    const again = await reviewer.ask('POST', `/v1/submissions/${id}/runs`, { version: 2 });
    const next = again.json<{ id: string }>().id;
    expect([again.statusCode, again.json()]).toEqual([
      202,
      expect.objectContaining({ kind: 'regrade', state: 'queued', previousRunId: runId }),
    ]);
    expect((await reviewer.ask('GET', `/v1/runs/${next}`)).json()).toMatchObject({ comparison: null });
    const unknown = await reviewer.ask('POST', `/v1/submissions/${id}/runs`, { version: 9 });
    expect(unknown.statusCode).toBe(404);
    await finishWith(service.store, next, assembleReport(SAMPLE_RUNS.passedRun()));

    const detail = (await reviewer.ask('GET', `/v1/runs/${next}`)).json<Detail>();
    expect(detail).toMatchObject({ challenge: { version: 2 }, verdict: 'passed' });
    expect(detail.comparison.before.verdict).toBe('partial');
    expect(detail.comparison.after.verdict).toBe('passed');
    expect(detail.comparison.scoreChange).toBeGreaterThan(0);
    expect(detail.comparison.checks).toContainEqual(
      expect.objectContaining({ before: 'failed', after: 'passed' }),
    );
    const pair = await reviewer.ask('GET', `/v1/compare?runs=${runId},${next}`);
    expect(pair.json()).toEqual(detail.comparison);
    expect((await reviewer.ask('GET', `/v1/runs/${runId}/report`)).json()).toEqual(first);
    const own = (await candidate.ask('GET', `/v1/submissions/${id}/report`)).json<Report>();
    expect(own.outcome.verdict).toBe('passed');
  });

  it('takes all counted submissions of a challenge, and nobody else', async () => {
    const version = await storedVersion(service.store);
    const both = [await service.candidate(version), await service.candidate(version)];
    const before = await Promise.all(both.map((each) => gradedSubmission(service.store, each)));
    const other = await gradedSubmission(service.store, await service.candidate());
    const dry = newSubmission(both[0]!.invitation, { dryRun: true });
    await service.store.submissions.accept(dry);

    const answer = await reviewer.ask('POST', `/v1/challenges/${version.slug}/regrade`);
    expect([answer.statusCode, answer.json()]).toEqual([202, { queued: 2, version: 1 }]);
    for (const { id, runId } of before) {
      const { items } = (await reviewer.ask('GET', `/v1/submissions/${id}/runs`)).json<{
        items: { id: string; previousRunId: string | null }[];
      }>();
      expect(items.map(({ previousRunId }) => previousRunId)).toEqual([runId, null]);
      await finishWith(service.store, items[0]!.id, assembleReport(SAMPLE_RUNS.passedRun()));
    }
    const cohort = await reviewer.ask('GET', `/v1/challenges/${version.slug}/cohort`);
    expect(cohort.json()).toMatchObject({
      count: 2,
      verdicts: { passed: 2, partial: 0 },
      score: { min: 100, median: 100, max: 100 },
      nextCursor: null,
    });
    expect(await walk(`/v1/challenges/${version.slug}/cohort?limit=1`, 'entries')).toEqual(
      cohort.json<{ entries: object[] }>().entries,
    );
    const untouched = await reviewer.ask('GET', `/v1/submissions/${other.id}/runs`);
    expect(untouched.json<{ items: object[] }>().items).toHaveLength(1);

    const stranger = await service.staff('reviewer', ['another']);
    const refused = await stranger.ask('POST', `/v1/challenges/${version.slug}/regrade`, {});
    expect(refused.statusCode).toBe(404);
  });
});

interface Detail {
  comparison: {
    before: { verdict: string };
    after: { verdict: string };
    scoreChange: number;
    checks: object[];
  };
}
