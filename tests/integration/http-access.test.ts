import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FeedbackSchema } from '../../src/domain/challenge.ts';
import type { Report } from '../../src/domain/report.ts';
import { assembleReport } from '../../src/report/assemble.ts';
import { openHttpService } from '../helpers/http-service.ts';
import type { Candidate, HttpService } from '../helpers/http-service.ts';
import { SAMPLE_RUNS } from '../helpers/report-samples.ts';
import { digestOf, newSubmission, PASSED, storedVersion } from '../helpers/stored.ts';

let service: HttpService;
beforeAll(async () => {
  service = await openHttpService();
});
afterAll(() => service?.close());

async function submitted(owner?: Candidate) {
  const { invitation } = owner ?? (await service.candidate());
  const accepted = await service.store.submissions.accept(newSubmission(invitation));
  if (!accepted.ok) {
    throw new Error(accepted.refusal.kind);
  }
  return accepted;
}

/** A submission of a new candidate whose run has ended with this report. Nothing is uploaded: that is tested elsewhere. */
async function graded(report: Report = assembleReport(SAMPLE_RUNS.partialRun()), candidate?: Candidate) {
  const owner = candidate ?? (await service.candidate());
  const { submission, run } = await submitted(owner);
  await service.store.runs.lease(run.id, 1, 'w', 600_000);
  const done = await service.store.runs.finish(run.id, 1, 'w', {
    ...PASSED,
    verdict: report.outcome.verdict,
    score: report.outcome.score,
    report,
  });
  expect(done).toBe(true);
  return { owner, id: submission.id, runId: run.id };
}

describe('tokens', () => {
  it('C01: expired, revoked and unknown ones are 401', async () => {
    const admin = await service.staff('admin');
    const reviewer = await service.staff('reviewer');
    expect((await reviewer.ask('GET', '/v1/me')).statusCode).toBe(200);

    await admin.ask('DELETE', `/v1/tokens/${reviewer.tokenId}`);

    expect((await reviewer.ask('GET', '/v1/me')).statusCode).toBe(401);
    const late = await service.candidate(undefined, { tokenExpiresAt: new Date(Date.now() - 1000) });
    expect((await late.ask('GET', '/v1/me')).statusCode).toBe(401);
    const headers = { authorization: `Bearer assay_admin_${'A'.repeat(43)}` };
    expect((await service.app.inject({ url: '/v1/me', headers })).statusCode).toBe(401);
  });

  it('C11: are shown once, and only their hash is kept', async () => {
    const admin = await service.staff('admin');
    const made = (await admin.ask('POST', '/v1/tokens', { role: 'reviewer', name: 'Grace' })).json<{
      id: string;
      token: string;
    }>();
    const list = await admin.ask('GET', '/v1/tokens');

    expect(made.token).toMatch(/^assay_reviewer_[\w-]{43}$/);
    expect(list.body).toContain(made.id);
    expect(list.body).not.toContain(made.token);
    expect(list.body).not.toMatch(/hash/i);
  });

  it('C12: a canary in a token is in no log', async () => {
    const { owner } = await graded();

    expect(service.log()).toContain('request answered');
    expect(service.log()).not.toContain(owner.token);
    expect(service.log()).not.toContain('assay_candidate_');
    expect(service.log()).not.toContain('assay_admin_');
  });
});

describe('C02, C04: what belongs to another candidate', () => {
  it('is not there, and trying is audited', async () => {
    const { id, runId } = await graded();
    const other = await service.candidate();
    const calls = [
      ['GET', `/v1/submissions/${id}`],
      ['GET', `/v1/submissions/${id}/report`],
      ['GET', `/v1/submissions/${id}/report?format=html`],
      ['GET', `/v1/submissions/${id}/events`],
      ['GET', `/v1/submissions/${id}/source`],
      ['POST', `/v1/submissions/${id}/cancel`],
    ] as const;
    for (const [method, url] of calls) {
      const answer = await other.ask(method, url);
      expect({ url, status: answer.statusCode }).toEqual({ url, status: 404 });
    }
    const denied = await service.store.audit.list({ object: `submission ${id}` }, { limit: 50 });

    expect(denied.items.filter(({ action }) => action === 'submission.denied')).toHaveLength(calls.length);
    expect((await service.store.runs.get(runId))?.state).toBe('completed');
  });

  it('C05: looks like what never was', async () => {
    const { id } = await graded();
    const other = await service.candidate();
    const foreign = await other.ask('GET', `/v1/submissions/${id}`);
    const unknown = await other.ask('GET', `/v1/submissions/${randomUUID()}`);
    const [one, other404] = [foreign, unknown].map(({ body }) => body.replace(/"requestId":"[^"]+"/, ''));

    expect(one).toBe(other404);
  });
});

describe('metrics', () => {
  it('tell what came of gradings, whose failures were, and how long stages took, in the first scrape', async () => {
    const admin = await service.staff('admin');
    async function read(name: string): Promise<number> {
      const { body } = await admin.ask('GET', '/metrics');
      return Number(
        body
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')[1] ?? 0,
      );
    }
    const partial = 'assay_verdicts{verdict="partial"}';
    const before = await read(partial);
    await graded();

    const { run } = await submitted();
    await service.store.runs.lease(run.id, 1, 'w', 600_000);
    await service.store.runs.phase(run.id, 1, 'w', 'build', 'begin');
    await service.store.runs.phase(run.id, 1, 'w', 'build', 'end');
    const failure = { code: 'BUILD_FAILED', blame: 'candidate', message: 'It does not build.' } as const;
    await service.store.runs.finish(run.id, 1, 'w', { ...PASSED, verdict: 'failed', score: 0, failure });

    expect(await read(partial)).toBe(before + 1);
    expect(await read('assay_failures{blame="candidate"}')).toBeGreaterThanOrEqual(1);
    expect(await read('assay_stage_runs{stage="build"}')).toBeGreaterThanOrEqual(1);
    expect(await read('assay_runs{state="completed"}')).toBeGreaterThanOrEqual(2);
  });
});

describe('C06: roles', () => {
  it('keep candidates and reviewers from calls of others', async () => {
    const { owner, id, runId } = await graded();
    const reviewer = await service.staff('reviewer');
    const forCandidate = [
      ['GET', '/v1/submissions'],
      ['GET', `/v1/runs/${runId}`],
      ['GET', `/v1/runs/${runId}/report`],
      ['POST', `/v1/submissions/${id}/runs`],
      ['POST', '/v1/tokens'],
      ['GET', '/v1/audit'],
      ['GET', '/metrics'],
    ] as const;
    for (const [method, url] of forCandidate) {
      expect({ url, status: (await owner.ask(method, url)).statusCode }).toEqual({ url, status: 403 });
    }
    for (const [method, url] of [
      ['POST', '/v1/tokens'],
      ['POST', '/v1/invitations'],
      ['DELETE', `/v1/candidates/${owner.invitation.candidateId}`],
      ['POST', `/v1/submissions/${id}/cancel`],
    ] as const) {
      expect({ url, status: (await reviewer.ask(method, url)).statusCode }).toEqual({ url, status: 403 });
    }
  });

  it('C07: nobody gives himself a role, a score or a candidate by adding fields', async () => {
    const admin = await service.staff('admin');
    for (const extra of [{ id: randomUUID() }, { hash: 'x' }, { role: 'candidate' }, { tokenHash: 'x' }]) {
      const answer = await admin.ask('POST', '/v1/tokens', { role: 'reviewer', name: 'x', ...extra });
      expect(answer.statusCode).toBe(400);
      expect(answer.json()).toMatchObject({ code: 'INVALID_FIELDS' });
    }
    const { id } = await graded();
    const answer = await admin.ask('POST', `/v1/submissions/${id}/reviews`, { notes: 'x', reviewer: 'Eve' });
    expect(answer.statusCode).toBe(400);
  });

  it('C08, C17: a reviewer sees the challenges that were granted, from the next call on', async () => {
    const { owner, id, runId } = await graded();
    const { slug } = owner.invitation;
    const admin = await service.staff('admin');
    const reviewer = await service.staff('reviewer', ['another']);
    const urls = [
      `/v1/submissions/${id}`,
      `/v1/runs/${runId}`,
      `/v1/runs/${runId}/report`,
      `/v1/submissions/${id}/reviews`,
      `/v1/challenges/${slug}`,
      `/v1/challenges/${slug}/cohort`,
      `/v1/compare?runs=${runId},${runId}`,
    ];
    for (const url of urls) {
      expect({ url, status: (await reviewer.ask('GET', url)).statusCode }).toEqual({ url, status: 404 });
    }
    expect((await reviewer.ask('GET', '/v1/submissions')).json()).toMatchObject({ items: [] });

    await admin.ask('PUT', `/v1/tokens/${reviewer.tokenId}/challenges`, { challenges: [slug] });

    for (const url of urls) {
      expect({ url, status: (await reviewer.ask('GET', url)).statusCode }).toEqual({ url, status: 200 });
    }
    expect((await reviewer.ask('GET', '/v1/submissions')).json<{ items: unknown[] }>().items).toHaveLength(1);
    await admin.ask('PUT', `/v1/tokens/${reviewer.tokenId}/challenges`, { challenges: [] });
    expect((await reviewer.ask('GET', urls[0]!)).statusCode).toBe(404);
  });

  it('C08: in a blind challenge a reviewer learns no name', async () => {
    const version = await blindVersion();
    const candidate = await service.candidate(version, {
      candidate: { name: 'Canary McCanary', email: 'canary@example.com' },
    });
    const { id, runId } = await graded(undefined, candidate);
    const reviewer = await service.staff('reviewer', [version.slug]);
    const admin = await service.staff('admin');
    for (const url of [
      `/v1/submissions/${id}`,
      '/v1/submissions',
      `/v1/runs/${runId}`,
      `/v1/runs/${runId}/report`,
      `/v1/challenges/${version.slug}/cohort`,
    ]) {
      const { body, statusCode } = await reviewer.ask('GET', url);
      expect({ url, statusCode }).toEqual({ url, statusCode: 200 });
      expect(body).not.toMatch(/canary/i);
      expect(body).not.toContain(candidate.invitation.candidateId);
    }
    const released = await reviewer.ask('POST', `/v1/invitations/${candidate.invitation.id}/release`);
    expect(released.body).not.toMatch(/canary/i);
    expect((await admin.ask('GET', `/v1/submissions/${id}`)).body).toContain('Canary McCanary');
  });
});

async function blindVersion() {
  const version = await storedVersion(service.store);
  const { version: blind } = await service.store.challenges.addVersion({
    slug: `blind-${randomUUID().slice(0, 8)}`,
    title: 'Blind',
    blind: true,
    digest: digestOf(randomUUID()),
    bundleBlob: version.bundleBlob,
    policy: { ...version.policy, feedback: FeedbackSchema.parse({}) },
  });
  return (await service.store.challenges.setState(blind.id, ['draft'], 'published')) ?? blind;
}

describe('F11: what a candidate gets of hidden tests', () => {
  it('is not a byte, in any format, and less than a reviewer', async () => {
    const report = assembleReport(SAMPLE_RUNS.partialRun());
    const check = report.stages[0]!.checks.find(({ status }) => status === 'failed')!;
    check.name = 'CANARY name';
    check.message = 'expected CANARY value';
    const { owner, id } = await graded(report);
    const reviewer = await service.staff('reviewer');
    for (const format of ['json', 'html', 'md', 'junit', 'csv']) {
      const own = await owner.ask('GET', `/v1/submissions/${id}/report?format=${format}`);
      const full = await reviewer.ask('GET', `/v1/submissions/${id}/report?format=${format}`);

      expect(own.statusCode).toBe(200);
      expect(own.body).not.toContain('CANARY');
      expect(full.body).toContain('CANARY');
      expect(own.headers['cache-control']).toBe('no-store');
    }
    const page = await owner.ask('GET', `/v1/submissions/${id}/report?format=html`);
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*sandbox/);
  });
});

describe('C19: text that means something to a database', () => {
  it.each(["'; DROP TABLE runs; --", '" OR 1=1', '%', '_', '$1', '\\', '{"$gt":""}', '\u202e', 'é'])(
    'is text: %s',
    async (text) => {
      const admin = await service.staff('admin');
      const made = await admin.ask('POST', '/v1/tokens', { role: 'reviewer', name: text });

      expect(made.statusCode).toBe(201);
      expect(made.json()).toMatchObject({ name: text.trim() });
      const found = await admin.ask('GET', `/v1/audit?action=${encodeURIComponent(text)}`);
      expect(found.json()).toMatchObject({ items: [] });
      const list = await admin.ask('GET', `/v1/submissions?cursor=${encodeURIComponent(text)}`);
      expect(list.json()).toMatchObject({ code: 'INVALID_CURSOR', status: 400 });
    },
  );

  it.each([
    ['limit=-1'],
    ['limit=1e9'],
    ['limit=99999999999999999999'],
    ['sort=name;drop'],
    ['status=none'],
    ['minScore=NaN'],
    ['extra=1'],
  ])('B15: %s is 400 and says which field', async (query) => {
    const admin = await service.staff('admin');
    const answer = await admin.ask('GET', `/v1/submissions?${query}`);

    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({
      code: 'INVALID_FIELDS',
      errors: expect.arrayContaining([expect.objectContaining({ in: 'querystring' })]) as unknown,
    });
  });
});

describe('what a candidate sees of a run', () => {
  it('leaves out the score of a challenge that hides a stage, and why we failed', async () => {
    const version = await storedVersion(service.store, undefined, undefined, { api: 'none' });
    const owner = await service.candidate(version);
    const { id } = await graded(assembleReport(SAMPLE_RUNS.partialRun()), owner);
    const broken = await submitted(owner);
    await service.store.runs.lease(broken.run.id, 1, 'w', 600_000);
    const reason = 'canary-7f3a: hidden/api/links.yaml is wrong';
    const failure = { code: 'SPEC_INVALID', blame: 'spec', message: reason } as const;
    const errored = { ...PASSED, state: 'errored', verdict: null, score: null, reason, failure } as const;
    await service.store.runs.finish(broken.run.id, 1, 'w', { ...errored, report: null });

    const own = await owner.ask('GET', `/v1/submissions/${id}`);
    expect(own.json()).toMatchObject({ run: { state: 'completed', score: null } });
    for (const url of ['/v1/me', `/v1/submissions/${broken.submission.id}`]) {
      const answer = await owner.ask('GET', url);
      expect(answer.body).toContain('through no fault of yours');
      expect(answer.body).not.toContain('canary-7f3a');
      expect(answer.body).not.toMatch(/"score":[^n]/);
    }
    const other = await service.candidate(version);
    const lone = await submitted(other);
    await service.store.runs.lease(lone.run.id, 1, 'w', 600_000);
    await service.store.runs.finish(lone.run.id, 1, 'w', { ...errored, report: null });
    const report = await other.ask('GET', `/v1/submissions/${lone.submission.id}/report`);
    expect(report.json()).toMatchObject({ status: 404 });
    expect(report.body).not.toContain('canary-7f3a');
    const admin = await service.staff('admin');
    const full = (await admin.ask('GET', `/v1/submissions/${broken.submission.id}`)).json<object>();
    expect(full).toMatchObject({ run: { reason } });
  });

  it('shows the same score as the report, whatever of its stages is hidden', async () => {
    interface Scored {
      score: number | null;
    }
    const partial = SAMPLE_RUNS.partialRun();
    const planned = partial.challenge.stages.filter(({ name }) => name !== 'load');
    const withoutLoad = { ...partial, challenge: { ...partial.challenge, stages: planned } };
    async function scores(load: 'none' | 'summary', facts: typeof partial) {
      const version = await storedVersion(service.store, undefined, undefined, { load });
      const { owner, id } = await graded(assembleReport(facts), await service.candidate(version));
      const { run } = (await owner.ask('GET', `/v1/submissions/${id}`)).json<{ run: Scored }>();
      const { submissions } = (await owner.ask('GET', '/v1/me')).json<{ submissions: { run: Scored }[] }>();
      const { outcome } = (await owner.ask('GET', `/v1/submissions/${id}/report`)).json<{
        outcome: Scored;
      }>();
      return [run.score, submissions[0]?.run.score, outcome.score];
    }

    const { score } = assembleReport(partial).outcome;
    expect(await scores('summary', partial)).toEqual([score, score, score]);
    expect(await scores('none', partial)).toEqual([null, null, null]);
    const other = assembleReport(withoutLoad).outcome.score;
    expect(other).not.toBeNull();
    expect(await scores('none', withoutLoad)).toEqual([other, other, other]);
  });
});

describe('cancel', () => {
  it('is not for what a reviewer had graded again, but for the run of the upload', async () => {
    const done = await graded();
    const reviewer = await service.staff('reviewer');
    const again = (await reviewer.ask('POST', `/v1/submissions/${done.id}/runs`)).json<{ id: string }>();
    const refused = await done.owner.ask('POST', `/v1/submissions/${done.id}/cancel`);
    expect(refused.json()).toMatchObject({ code: 'RUN_ENDED' });
    expect(await service.store.runs.get(again.id)).toMatchObject({ state: 'queued' });

    const owner = await service.candidate();
    const waiting = await submitted(owner);
    const url = `/v1/submissions/${waiting.submission.id}`;
    await reviewer.ask('POST', `${url}/runs`);
    const canceled = await owner.ask('POST', `${url}/cancel`);
    expect(canceled.json()).toMatchObject({ id: waiting.run.id, state: 'canceled', kind: 'first' });
  });
});

describe('the audit log', () => {
  it('names no candidate, and notes a re-grade once with who asked for it', async () => {
    const { owner, id } = await graded();
    const reviewer = await service.staff('reviewer');
    await owner.ask('GET', '/v1/audit');
    await owner.ask('GET', `/v1/submissions/${(await graded()).id}`);
    await reviewer.ask('POST', `/v1/submissions/${id}/runs`);
    const { items } = await service.store.audit.list({}, { limit: 100 });

    expect(items.map(({ actor }) => actor)).toContain('candidate');
    expect(items.map(({ actor }) => actor)).not.toContain('Grace');
    const about = items.filter(({ object }) => object === `submission ${id}`);
    expect(about).toMatchObject([{ action: 'run.regrade', actorId: reviewer.tokenId }]);
    expect(items.filter(({ action }) => action === 'run.regraded')).toEqual([]);
  });
});
