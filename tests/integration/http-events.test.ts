import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunEvent } from '../../src/domain/run.ts';
import { openHttpService } from '../helpers/http-service.ts';
import type { Candidate, HttpService } from '../helpers/http-service.ts';
import { listenOn } from '../helpers/raw-http.ts';
import { newSubmission, PASSED } from '../helpers/stored.ts';

let service: HttpService;
let port: number;
beforeAll(async () => {
  service = await openHttpService({ heartbeatMs: 100, streamsPerToken: 1, maxEventLoopDelayMs: 60_000 });
  port = await listenOn(service.app);
});
afterAll(() => service?.close());

const EVENTS: RunEvent[] = [
  { type: 'log', source: 'build', text: 'built' },
  { type: 'log', source: 'service', text: 'listening' },
  { type: 'stage', stage: 'api', state: 'begin' },
  { type: 'check', stage: 'api', id: 'CANARY-id', name: 'CANARY name', status: 'passed', visible: false },
  { type: 'check', stage: 'api', id: 'CANARY-2', name: 'CANARY two', status: 'failed', visible: false },
  { type: 'progress', stage: 'api', done: 2, total: 2, label: 'CANARY label' },
  { type: 'log', source: 'service', text: 'GET /CANARY' },
];

/** A run under way with these events; `end` finishes it. */
async function running(candidate: Candidate) {
  const accepted = await service.store.submissions.accept(newSubmission(candidate.invitation));
  if (!accepted.ok) {
    throw new Error(accepted.refusal.kind);
  }
  const { run, submission } = accepted;
  await service.store.runs.lease(run.id, 1, 'w', 600_000);
  await service.store.events.append(run.id, 1, EVENTS);
  return {
    id: submission.id,
    end: () => service.store.runs.finish(run.id, 1, 'w', { ...PASSED, report: null }),
  };
}

async function open(token: string, id: string, lastId?: string): Promise<Response> {
  return await fetch(`http://127.0.0.1:${port}/v1/submissions/${id}/events`, {
    headers: {
      authorization: `Bearer ${token}`,
      ...(lastId === undefined ? {} : { 'last-event-id': lastId }),
    },
  });
}

it('C02, F11: shows a candidate counts and the own start, and goes on where it broke', async () => {
  const candidate = await service.candidate();
  const { id, end } = await running(candidate);
  const reading = open(candidate.token, id).then((response) => response.text());
  await end();
  const text = await reading;
  const ids = [...text.matchAll(/^id: (.+)$/gm)].map((match) => match[1] ?? '');

  expect(text).not.toContain('CANARY');
  expect(text).toContain('event: log\ndata: {"source":"build","text":"built"}');
  expect(text).toContain('listening');
  expect(text).toContain('event: check\ndata: {"stage":"api","passed":1,"failed":1,"errored":0,"skipped":0}');
  expect(text.trimEnd()).toMatch(/event: end\ndata: \{"state":"completed","verdict":"passed"\}$/);

  const rest = await (await open(candidate.token, id, ids.at(-2))).text();
  expect([...rest.matchAll(/^id: (.+)$/gm)].map((match) => match[1])).toEqual(ids.slice(-1));
});

it('shows a reviewer everything', async () => {
  const reviewer = await service.staff('reviewer');
  const { id, end } = await running(await service.candidate());
  await end();

  expect(await (await open(reviewer.token, id)).text()).toContain('CANARY name');
});

it('gives back the place of a reader who went while he was looked up', async () => {
  const { challenges } = service.store;
  const reviewer = await service.staff('reviewer');
  const { id, end } = await running(await service.candidate());
  const find = challenges.get.bind(challenges);
  const gone = new AbortController();
  challenges.get = async (versionId) => {
    const closed = new Promise((resolve) => service.app.server.once('reader-gone', resolve));
    gone.abort();
    await closed;
    return await find(versionId);
  };
  service.app.server.once('request', (_request, response) => {
    response.once('close', () => service.app.server.emit('reader-gone'));
  });
  await expect(
    fetch(`http://127.0.0.1:${port}/v1/submissions/${id}/events`, {
      headers: { authorization: `Bearer ${reviewer.token}` },
      signal: gone.signal,
    }),
  ).rejects.toThrow();
  challenges.get = find;

  await vi.waitFor(async () => expect((await open(reviewer.token, id)).status).toBe(200), {
    timeout: 30_000,
  });
  await end();
});

it('ends for a token that is revoked meanwhile', async () => {
  const admin = await service.staff('admin');
  const reviewer = await service.staff('reviewer');
  const { id } = await running(await service.candidate());
  const response = await open(reviewer.token, id);
  await admin.ask('DELETE', `/v1/tokens/${reviewer.tokenId}`);

  expect(await response.text()).not.toContain('event: end');
});
