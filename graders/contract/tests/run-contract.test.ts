import type { IncomingMessage } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { symptomOf } from '../../../src/report/symptom.ts';
import { serveHttp } from '../../api/tests/helpers/tcp-server.ts';
import { isNote, makeNotesService, NOTES_OPENAPI, send } from './helpers/notes-api.ts';
import type { Fault } from './helpers/notes-api.ts';
import { planOf, runPlanOf } from './helpers/run-document.ts';
import type { ContractRun } from './helpers/run-document.ts';

const PLAN = planOf(NOTES_OPENAPI, {
  headers: { authorization: 'Bearer t' },
  budget: { requests: 150, timeMs: 60_000 },
});

async function run(fault: Fault = {}, seed = 's', plan = PLAN): Promise<ContractRun> {
  const server = await serveHttp(makeNotesService(fault));
  onTestFinished(() => server.close());
  return await runPlanOf(plan, server.target, { seed });
}

describe('a sound service', () => {
  it('passes every check', async () => {
    const { checks, requests } = await run();
    expect(checks.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(checks.map(({ id }) => id).toSorted()).toEqual(PLAN.checks.map(({ id }) => id).toSorted());
    expect(requests).toBeLessThan(180);
  }, 60_000);

  it('is asked the same by the same seed', async () => {
    async function asked(seed: string): Promise<string[]> {
      const lines: string[] = [];
      function answer(request: IncomingMessage, _response: unknown, body: string): boolean {
        lines.push(`${request.method} ${request.url} ${body}`);
        return false;
      }
      await run({ answer }, seed, { ...PLAN, budget: { requests: 20, timeMs: 60_000 } });
      return lines;
    }
    const first = await asked('x');
    expect(await asked('x')).toEqual(first);
    expect(await asked('y')).not.toEqual(first);
  }, 60_000);
});

describe('a service that speaks of the state of things', () => {
  it.each([
    ['POST', 409, 'createNote/ensure_resource_availability'],
    ['DELETE', 412, 'deleteNote/use_after_free'],
  ])(
    'loses nothing by answering %s with %d',
    async (method, status, check) => {
      const { checks } = await run({
        answer: (request, response, body) =>
          request.method === method &&
          (method === 'DELETE' || (parses(body) && isNote(JSON.parse(body)))) &&
          failWith(response, status),
      });
      expect(checks.find(({ id }) => id === `contract/${check}`)?.status).toBe('skipped');
    },
    60_000,
  );
});

it('what has ended by itself is not turned down', async () => {
  const { lost } = await run({
    answer: (request, response) =>
      request.method === 'GET' && /^\/notes\/./.test(request.url ?? '') && failWith(response, 410),
  });
  expect(Object.keys(lost)).not.toContain('showNote/positive_data_acceptance');
  expect(Object.keys(lost)).toContain('createNote/ensure_resource_availability');
}, 60_000);

describe('a faulty service', () => {
  it('loses what its answers break, each with its reason', async () => {
    const { lost, checks } = await run({
      answer: (request, response, body) => {
        const { method, url = '' } = request;
        request.headers['x-client'] ??= 'me';
        request.headers.authorization = 'Bearer t';
        if (method === 'POST' && body !== '' && !parses(body)) {
          return failWith(response, 500);
        }
        if (method === 'GET' && url === '/notes') {
          response.writeHead(200, { 'content-type': 'text/plain' }).end('{"notes":[],"next":null}');
          return true;
        }
        return (
          (method === 'GET' && url === '/admin' && failWith(response, 203)) ||
          (method === 'PUT' && url === '/admin' && failWith(response, 405))
        );
      },
    });
    expect(lost).toEqual({
      'createNote/not_a_server_error': 'POST /notes answered 500, an error of the service',
      'createNote/status_code_conformance':
        'POST /notes answered 500, which is not documented; its statuses are 201, 400',
      'listNotes/content_type_conformance':
        'the 200 answer of GET /notes has the Content-Type "text/plain", documented is application/json',
      'admin/status_code_conformance':
        'GET /admin answered 203, which is not documented; its statuses are 200, 401',
      'replaceNote/missing_required_header':
        'PUT /notes/{id} answered 200 to a request without the required header X-Client',
      'admin/ignored_auth': 'GET /admin answered 203 to a request without credentials',
      'admin/unsupported_method': 'the 405 answer of PUT /admin lacks the header Allow',
    });
    const evidence = checks.filter(({ status }) => status === 'failed').map((check) => check.evidence);
    expect(evidence.every((one) => one?.exchanges?.at(-1)?.curl?.startsWith('curl '))).toBe(true);
    // The report tells kinds of failure apart by it.
    const symptoms = checks.filter(({ status }) => status === 'failed').map(symptomOf);
    expect(new Set(symptoms)).toEqual(
      new Set(['server-error', 'wrong-headers', 'wrong-status', 'accepted-invalid']),
    );
  }, 60_000);

  it.each([
    ['title', 20],
    ['stars', 5],
  ] as const)('is seen to be off by one in %s whatever the seed', async (member, limit) => {
    function valid(body: unknown): boolean | undefined {
      const value = isNote(body) ? (body as Record<string, unknown>)[member] : undefined;
      return (typeof value === 'string' ? value.length : value) === limit ? false : undefined;
    }
    for (const seed of ['a', 'b', 'c', 'd']) {
      const { lost } = await run({ valid }, seed);
      expect(lost['createNote/positive_data_acceptance']).toContain(
        'POST /notes refused a valid request with 400',
      );
    }
  });

  it('loses what it lets through, turns down and keeps', async () => {
    const { lost } = await run({
      valid: (body) =>
        isNote(body)
          ? (body as { kind?: string }).kind !== 'idea'
          : isNote({ ...(body as object), parent: undefined }) || undefined,
      location: '/elsewhere',
      deletes: false,
    });
    expect(lost).toEqual({
      'createNote/positive_data_acceptance': 'POST /notes refused a valid request with 400',
      'createNote/negative_data_rejection': expect.stringMatching(
        /^POST \/notes answered 201 to a request whose "parent/,
      ) as string,
      'createNote/response_headers_conformance': expect.stringContaining('Location: /elsewhere') as string,
      'replaceNote/positive_data_acceptance':
        'PUT /notes/{id} refused a valid request with 400: its "kind" in the body is "idea"',
      'replaceNote/negative_data_rejection': expect.stringContaining('"parent') as string,
      'deleteNote/use_after_free': expect.stringMatching(
        /^GET \/notes\/n\d+ answered 200 after the DELETE had gone well$/,
      ) as string,
    });
  }, 60_000);

  it('that turns down most of what is valid is still seen to let through what is not', async () => {
    function valid(body: unknown): boolean | undefined {
      const { title, stars } = (body ?? {}) as { title?: unknown; stars?: unknown };
      return typeof title === 'string' && title.length > 1 ? false : stars === 0 || undefined;
    }
    for (const seed of ['a', 'b', 'c', 'd']) {
      const { lost } = await run({ valid }, seed);
      expect(lost['createNote/negative_data_rejection']).toContain('"stars" in the body is below 1');
    }
  }, 60_000);

  it('loses what was made and is not there', async () => {
    const { lost } = await run({ keeps: false });
    expect(lost['createNote/ensure_resource_availability']).toMatch(
      /^GET \/notes\/n1 answered 404 for what POST \/notes had just made$/,
    );
    expect(lost['showNote/positive_data_acceptance']).toMatch(
      /^GET \/notes\/\{id\} accepted none of \d+ valid requests for things that exist; the last answer was 404$/,
    );
  }, 60_000);

  it('that hangs up is left alone after that, and what it was not asked fails', async () => {
    const actions: string[] = [];
    const hangsUp: Fault = {
      answer: (request) => {
        const put = request.method === 'PUT';
        if (put) {
          request.socket.destroy();
        }
        return put;
      },
    };
    const server = await serveHttp(makeNotesService(hangsUp));
    onTestFinished(() => server.close());
    const { lost, checks } = await runPlanOf(PLAN, server.target, {
      control: async (action) => {
        actions.push(action);
        return await Promise.resolve({ ok: true, note: 'It exited with code 1.' });
      },
    });
    expect(lost['replaceNote/not_a_server_error']).toMatch(
      /^PUT \/notes\/\{id\} got no answer: .*The service ended: It exited with code 1\.$/,
    );
    expect(lost['replaceNote/negative_data_rejection']).toMatch(/^not run to the end: PUT .* gave no answer/);
    expect(checks.find(({ id }) => id === 'contract/createNote/use_after_free')).toBeUndefined();
    expect(checks.find(({ id }) => id === 'contract/deleteNote/use_after_free')?.status).toBe('passed');
    expect(new Set(actions)).toEqual(new Set(['start']));
  }, 60_000);
});

describe('the smallest failing request', () => {
  it('has nothing that does not matter', async () => {
    const { checks } = await run({
      valid: (body) => (isNote(body) ? (body as { stars?: number }).stars === undefined : undefined),
    });
    const check = checks.find(({ id }) => id === 'contract/createNote/positive_data_acceptance');
    const sent = JSON.parse(check?.evidence?.exchanges?.[0]?.request.body ?? '{}') as Record<string, unknown>;
    expect(Object.keys(sent).toSorted()).toEqual(['stars', 'title']);
    expect(sent['stars']).toBe(1);
    expect(String(sent['title'])).toHaveLength(1);
  }, 60_000);
});

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function failWith(response: Parameters<typeof send>[0], status: number): true {
  send(response, status, { error: 'oh' });
  return true;
}
