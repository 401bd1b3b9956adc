import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { assembleReport } from '../../src/report/assemble.ts';
import { readTar } from '../../src/shared/tar-buffer.ts';
import { buildTar } from '../helpers/archives.ts';
import { finishRun, finishWith, gradedSubmission } from '../helpers/graded.ts';
import { fileOf, multipart, openHttpService, project, uploadOf } from '../helpers/http-service.ts';
import type { Caller, HttpService } from '../helpers/http-service.ts';
import { SAMPLE_RUNS } from '../helpers/report-samples.ts';
import { storedVersion } from '../helpers/stored.ts';
import { SOUND_BUNDLE } from '../unit/challenges/bundle-fixture.ts';

const HOUR_MS = 3_600_000;

let service: HttpService;
let admin: Caller;
beforeAll(async () => {
  service = await openHttpService();
  admin = await service.staff('admin');
});
afterAll(() => service?.close());

describe('the life of a challenge', () => {
  async function upload(changes: Record<string, string> = {}) {
    const files = { ...SOUND_BUNDLE, ...changes };
    const tar = buildTar(Object.entries(files).map(([name, content]) => ({ name, content })));
    return await service.app.inject(
      uploadOf('/v1/challenges', admin.token, multipart([fileOf(tar, 'bundle')])),
    );
  }

  it('shows every mistake of a bundle with file and line, and keeps nothing of it', async () => {
    const wrongTitle = SOUND_BUNDLE['challenge.yaml']!.replace('title: Echo', 'titel: Echo');
    const wrongSteps = 'suite: Echo\ntests:\n  - name: x\n    steps:\n      - reqest: GET /\n  - nam: y\n';
    for (const [file, content, lines] of [
      ['challenge.yaml', wrongTitle, [3]],
      ['hidden/api/echo.yaml', wrongSteps, [5, 6]],
    ] as const) {
      const answer = await upload({ [file]: content });
      const { code, problems } = answer.json<{ code: string; problems: object[] }>();

      expect([answer.statusCode, code]).toEqual([422, 'SPEC_INVALID']);
      expect(answer.headers['content-type']).toMatch('application/problem+json');
      for (const line of lines) {
        expect(problems).toContainEqual(expect.objectContaining({ file, line }));
      }
      expect(answer.body).not.toContain('bundle-');
    }
    expect((await admin.ask('GET', '/v1/challenges/echo')).statusCode).toBe(404);
    expect(await service.uploads()).toEqual([]);
  });

  it('goes from draft by a passing check to published and retired', async () => {
    const made = await upload();
    expect(made.statusCode).toBe(201);
    expect(made.json()).toMatchObject({ slug: 'echo', version: 1, state: 'draft', check: null });
    const url = made.headers['location'] as string;
    expect((await upload({ 'statement.md': '# Echo, explained better\n' })).statusCode).toBe(200);
    const invitation = { challenge: 'echo', version: 1, candidate: { name: 'Ada' } };
    expect((await admin.ask('POST', '/v1/invitations', invitation)).json()).toMatchObject({
      code: 'WRONG_STATE',
    });

    const early = await admin.ask('POST', `${url}/publish`);
    expect([early.statusCode, early.json()]).toEqual([
      409,
      expect.objectContaining({ code: 'CHECK_REQUIRED' }),
    ]);
    const queued = await admin.ask('POST', `${url}/check`);
    const { id } = queued.json<{ id: string }>();
    expect(queued.statusCode).toBe(202);
    expect(queued.json()).toMatchObject({ kind: 'check', state: 'queued', submissionId: null });
    expect(queued.headers['location']).toBe(`/v1/runs/${id}`);
    expect((await admin.ask('POST', `${url}/check`)).json()).toMatchObject({ id });
    expect((await admin.ask('GET', `/v1/runs/${id}/report`)).json()).toMatchObject({ code: 'RUN_NOT_ENDED' });
    expect((await admin.ask('POST', `${url}/publish`)).statusCode).toBe(409);

    await finishRun(service.store, id, {
      verdict: 'failed',
      score: 0,
      report: { reportVersion: 1, note: 'a reference lost' },
    });
    expect((await admin.ask('GET', `/v1/runs/${id}/report`)).body).toContain('a reference lost');
    const html = await admin.ask('GET', `/v1/runs/${id}/report?format=html`);
    expect(html.json()).toMatchObject({ code: 'FORMAT_UNAVAILABLE' });
    expect((await admin.ask('POST', `${url}/publish`)).json()).toMatchObject({
      detail: expect.stringContaining('did not pass') as string,
    });

    const second = (await admin.ask('POST', `${url}/check`)).json<{ id: string }>();
    expect(second.id).not.toBe(id);
    await finishRun(service.store, second.id);
    expect((await admin.ask('POST', `${url}/publish`)).json()).toMatchObject({
      state: 'published',
      check: { runId: second.id, ok: true },
    });
    const invited = await admin.ask('POST', '/v1/invitations', invitation);
    expect(invited.statusCode).toBe(201);
    const headers = { authorization: `Bearer ${invited.json<{ token: string }>().token}` };
    const handout = await service.app.inject({ url: '/v1/me/handout', headers });
    expect(handout.headers['content-disposition']).toContain('echo-handout.tar.gz');
    const given = readTar(gunzipSync(handout.rawPayload));
    expect(given.map(({ path, content }) => [path, content.toString()])).toEqual([
      ['statement.md', '# Echo, explained better\n'],
    ]);

    expect((await admin.ask('POST', `${url}/retire`)).json()).toMatchObject({ state: 'retired' });
    expect((await admin.ask('POST', `${url}/publish?force=true`)).json()).toMatchObject({
      code: 'WRONG_STATE',
    });
    expect((await admin.ask('POST', '/v1/invitations', invitation)).statusCode).toBe(409);
  });

  it('may be published without a check by force, which is noted', async () => {
    const url = (await upload({ 'challenge.yaml': named('forced') })).headers['location'] as string;
    expect((await admin.ask('POST', `${url}/publish?force=true`)).statusCode).toBe(200);

    const { items } = (await admin.ask('GET', '/v1/audit?action=challenge.publish&limit=1')).json<{
      items: object[];
    }>();
    expect(items).toMatchObject([{ object: 'forced version 1', details: { forced: true } }]);
  });
});

function named(slug: string): string {
  return SOUND_BUNDLE['challenge.yaml']!.replace('slug: echo', `slug: ${slug}`);
}

describe('an invitation', () => {
  async function invite(order: object = {}) {
    const { slug } = await storedVersion(service.store);
    const answer = await admin.ask('POST', '/v1/invitations', {
      challenge: slug,
      candidate: { name: 'Ada', email: 'ada@example.com' },
      ...order,
    });
    expect(answer.statusCode).toBe(201);
    const { id, token } = answer.json<{ id: string; token: string }>();
    return { id, token, body: answer.json<Record<string, unknown>>() };
  }

  async function submit(token: string, text: string) {
    return await service.app.inject(uploadOf('/v1/submissions', token, multipart([fileOf(project(text))])));
  }

  function inMs(ms: number): string {
    return new Date(Date.now() + ms).toISOString();
  }

  it('takes window and limits from the challenge, and shows its token once', async () => {
    const { id, token, body } = await invite();

    expect(body).toMatchObject({ attempts: { max: 3, used: 0 }, dryRuns: { max: 20 }, late: 'refuse' });
    expect(Date.parse(String(body['closesAt'])) - Date.parse(String(body['opensAt']))).toBe(HOUR_MS);
    const me = await service.app.inject({ url: '/v1/me', headers: { authorization: `Bearer ${token}` } });
    expect(me.json()).toMatchObject({ role: 'candidate', invitation: { id } });
    const shown = await admin.ask('GET', `/v1/invitations/${id}`);
    expect(shown.body).not.toContain(token);
    expect(shown.json()).toMatchObject({ candidate: { name: 'Ada', email: 'ada@example.com' } });
  });

  it('opens when its window does, and again when the end is moved', async () => {
    const { id, token } = await invite({ opensAt: inMs(HOUR_MS), closesAt: inMs(2 * HOUR_MS) });
    expect((await submit(token, 'early')).json()).toMatchObject({ code: 'WINDOW_NOT_OPEN' });
    const back = await admin.ask('POST', `/v1/invitations/${id}/extend`, { closesAt: inMs(HOUR_MS / 2) });
    expect(back.json()).toMatchObject({ code: 'INVALID_FIELDS' });

    const closed = await invite({ opensAt: inMs(-2 * HOUR_MS), closesAt: inMs(-HOUR_MS) });
    expect((await submit(closed.token, 'late')).json()).toMatchObject({ code: 'WINDOW_CLOSED' });
    const moved = await admin.ask('POST', `/v1/invitations/${closed.id}/extend`, { closesAt: inMs(HOUR_MS) });
    expect(moved.statusCode).toBe(200);
    expect((await submit(closed.token, 'in time')).json()).toMatchObject({ attempt: 1, late: false });
  });

  it('grants attempts until they are used, and more when an admin says so', async () => {
    const { id, token } = await invite({ maxAttempts: 1, closesAt: inMs(HOUR_MS) });
    expect((await submit(token, 'one')).statusCode).toBe(202);
    expect((await submit(token, 'two')).json()).toMatchObject({ code: 'NO_ATTEMPTS_LEFT', max: 1, used: 1 });

    const more = await admin.ask('POST', `/v1/invitations/${id}/extend`, { extraAttempts: 1 });
    expect(more.json()).toMatchObject({ attempts: { max: 2, used: 1 } });
    expect((await submit(token, 'two')).json()).toMatchObject({ attempt: 2 });
    const nothing = await admin.ask('POST', `/v1/invitations/${id}/extend`, {});
    expect(nothing.json()).toMatchObject({ code: 'INVALID_FIELDS' });
  });

  it('marks what comes late where the challenge takes it, and ends when it is withdrawn', async () => {
    const late = { opensAt: inMs(-2 * HOUR_MS), closesAt: inMs(-HOUR_MS), late: 'accept-marked' };
    const { id, token } = await invite(late);
    expect((await submit(token, 'late')).json()).toMatchObject({ late: true });

    expect((await admin.ask('DELETE', `/v1/invitations/${id}`)).json()).toMatchObject({
      revokedAt: expect.any(String) as string,
    });
    expect((await submit(token, 'later')).statusCode).toBe(401);
    const { slug } = (await service.store.access.getInvitation(id))!;
    const list = await admin.ask('GET', `/v1/invitations?challenge=${slug}`);
    expect(list.json()).toMatchObject({ items: [{ id }], nextCursor: null });
  });

  it.each([
    [{ closesAt: '2020-01-01T00:00:00Z' }],
    [{ opensAt: 'tomorrow' }],
    [{ maxAttempts: 0 }],
    [{ candidate: { name: 'two\nlines' } }],
  ])('is refused with %j', async (order) => {
    const { slug } = await storedVersion(service.store);
    const whole = { challenge: slug, candidate: { name: 'Ada' }, ...order };
    const answer = await admin.ask('POST', '/v1/invitations', whole);

    expect([answer.statusCode, answer.json()]).toEqual([
      400,
      expect.objectContaining({ code: 'INVALID_FIELDS' }),
    ]);
  });
});

describe('forgetting a candidate', () => {
  it('leaves numbers and nothing else', async () => {
    const named = { candidate: { name: 'Canary McCanary', email: 'canary@example.com' } };
    const candidate = await service.candidate(undefined, named);
    const { id, runId } = await gradedSubmission(service.store, candidate);
    const again = (await admin.ask('POST', `/v1/submissions/${id}/runs`, {})).json<{ id: string }>();
    await finishWith(service.store, again.id, assembleReport(SAMPLE_RUNS.passedRun()));
    const waiting = (await admin.ask('POST', `/v1/submissions/${id}/runs`, {})).json<{ id: string }>();
    await admin.ask('POST', `/v1/submissions/${id}/reviews`, { notes: 'CANARY' });

    const { candidateId } = candidate.invitation;
    expect((await admin.ask('DELETE', `/v1/candidates/${candidateId}`)).statusCode).toBe(204);
    expect((await admin.ask('DELETE', `/v1/candidates/${randomUUID()}`)).statusCode).toBe(404);

    expect((await candidate.ask('GET', '/v1/me')).statusCode).toBe(401);
    for (const [url, status] of [
      [`/v1/submissions/${id}`, 200],
      [`/v1/submissions/${id}/runs`, 200],
      [`/v1/submissions/${id}/report`, 404],
      [`/v1/submissions/${id}/source`, 404],
      [`/v1/submissions/${id}/reviews`, 200],
      [`/v1/runs/${runId}`, 200],
      [`/v1/runs/${again.id}`, 200],
      [`/v1/runs/${runId}/logs/build`, 404],
      [`/v1/invitations/${candidate.invitation.id}`, 200],
      [`/v1/submissions?challenge=${candidate.invitation.slug}`, 200],
    ] as const) {
      const answer = await admin.ask('GET', url);
      expect({ url, status: answer.statusCode }).toEqual({ url, status });
      expect(answer.body).not.toMatch(/canary/i);
    }
    expect((await admin.ask('GET', `/v1/runs/${waiting.id}`)).json()).toMatchObject({ state: 'canceled' });
    expect((await admin.ask('GET', `/v1/runs/${again.id}`)).json()).toMatchObject({
      score: 100,
      verdict: 'passed',
      comparison: null,
    });
    const refused = await admin.ask('POST', `/v1/submissions/${id}/runs`, {});
    expect(refused.json()).toMatchObject({ code: 'WRONG_STATE' });
    const cohort = await admin.ask('GET', `/v1/challenges/${candidate.invitation.slug}/cohort`);
    expect(cohort.json()).toMatchObject({ count: 1 });
    const noted = await admin.ask('GET', `/v1/audit?action=candidate.delete&limit=1`);
    expect(noted.json()).toMatchObject({ items: [{ object: `candidate ${candidateId}` }] });
  });
});
