import type http from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { PROTOCOL_LIMITS } from '../../../src/domain/grader-protocol.ts';
import { runSteps, runSuite } from './helpers/run-suite.ts';
import { serveHttp, serveRaw } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function json(
  response: http.ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Stores what is posted; `GET /<n>` gives it back. */
async function serveStore(): Promise<TestServer> {
  const items: string[] = [];
  return await serveHttp((request, response, body) => {
    if (request.method === 'POST') {
      json(response, 201, { id: items.push(body) - 1, body }, { location: `/${items.length - 1}` });
    } else {
      const item = items[Number(request.url?.slice(1))];
      json(response, item === undefined ? 404 : 200, item === undefined ? { error: 'none' } : { item });
    }
  });
}

describe('a check', () => {
  it('passes with captures, templates, groups, parallel and repeated requests', async () => {
    server = await serveStore();
    const checks = await runSuite(
      `
suite: Store
vars: { text: "\${random.slug}" }
setup:
  - { request: POST /, text: "\${text}", expect: { status: 201 }, capture: { first: $.id, where: "header:location" } }
tests:
  - name: round trip
    points: 3
    steps:
      - { request: "GET \${where}", expect: { status: 2xx, json: { item: "\${text}" }, headers: { content-type: application/json }, within: 2s } }
      - { request: "GET \${target}\${where}", expect: { jsonpath: { "$.item": "\${text}" }, schema: { type: object, required: [item] } } }
      - { parallel: 20, request: POST /, text: "n\${index}", expect: { json: { id: { $type: integer }, body: "n\${index}" } }, capture: { "ids[]": $.id }, tally: { "201": 20, "5xx": 0 } }
      - { assert: { "\${ids}": { $unique: true, $length: 20 } } }
      - parallel: 5
        steps:
          - { request: POST /, text: "w\${random.slug}\${index}", capture: { id: $.id, body: $.body, "bodies[]": $.body } }
          - { request: "GET /\${id}", expect: { json: { item: "\${body}" } } }
      - { assert: { "\${bodies}": { $unique: true, $length: 5 } } }
      - { repeat: 3, request: "GET /\${index}", capture: { "codes[]": status } }
      - { assert: { "\${codes}": [200, 200, 200] } }
      - { request: GET /none, expect: { status: [404, 410], bytes: { length: { $gt: 3 } }, text: { $contains: none } } }
`,
      server.target,
    );
    expect(checks).toEqual([
      expect.objectContaining({
        id: 'test/round-trip',
        suite: 'Store',
        status: 'passed',
        points: 3,
        maxPoints: 3,
        message: '',
      }),
    ]);
    expect(checks[0]).not.toHaveProperty('evidence');
  });

  it('shows where it failed, the difference, what led there, and how to repeat it', async () => {
    server = await serveStore();
    const check = await runSteps(
      '- { request: POST /, json: { a: 1 }, expect: { status: 201 }, capture: { id: $.id } }\n' +
        '- { request: "GET /${id}", expect: { status: 200, json: { item: { a: 1 } } } }',
      server.target,
    );
    expect(check).toMatchObject({
      status: 'failed',
      points: 0,
      message: 'expected $.item to be {"a":1}, got "{\\"a\\":1}"',
    });
    expect(check.evidence).toMatchObject({
      at: 'steps[1].expect.json',
      diff: expect.arrayContaining(['+   "item": "{\\"a\\":1}"']) as unknown,
    });
    expect(check.evidence?.exchanges?.map((one) => [one.label, one.response?.status])).toEqual([
      ['POST /', 201],
      ['GET /0', 200],
    ]);
    expect(check.evidence?.exchanges?.[1]?.curl).toBe(`curl -sS -i http://localhost:${server.target.port}/0`);
    expect(check.evidence?.exchanges?.[0]?.request).toMatchObject({ body: '{"a":1}' });
  });

  it.each([
    ['status', '{ status: 201 }', 'expected status 201, got 404', 'steps[0].expect.status'],
    ['statuses', '{ status: [200, "3xx"] }', 'expected status 200 or 3xx, got 404', 'steps[0].expect.status'],
    [
      'a header',
      '{ headers: { Location: /x } }',
      'expected header "location" to be "/x", but it is missing',
      'steps[0].expect.headers.Location',
    ],
    [
      'a path',
      '{ jsonpath: { $.error: { $length: 1 } } }',
      '$.error: expected a length of 1, got 4',
      'steps[0].expect.jsonpath["$.error"]',
    ],
    [
      'a schema',
      '{ schema: { required: [x] } }',
      "the body does not satisfy the schema: must have required property 'x'",
      'steps[0].expect.schema',
    ],
    ['text', '{ text: abc }', 'expected the body to be "abc", got', 'steps[0].expect.text'],
    ['time', '{ within: 0ms }', 'expected an answer within 0 ms, it took', 'steps[0].expect.within'],
    [
      'a digest',
      `{ bytes: { sha256: ${'a'.repeat(64)} } }`,
      'the body of 16 bytes is not the expected one',
      'steps[0].expect.bytes.sha256',
    ],
  ])('says what is wrong with %s', async (_what, expectation, message, at) => {
    server = await serveStore();
    const check = await runSteps(`- { request: GET /9, expect: ${expectation} }`, server.target);
    expect(check.message).toContain(message);
    expect(check).toMatchObject({ status: 'failed', evidence: { at } });
  });

  it('fails for what cannot be captured', async () => {
    server = await serveStore();
    const check = await runSteps('- { request: GET /9, capture: { code: $.code } }', server.target);
    expect(check).toMatchObject({
      status: 'failed',
      message: 'there is nothing to capture at $.code of the answer',
      evidence: { at: 'steps[0].capture.["code"]' },
    });
  });

  it('is skipped when the suite says so, and errored when the suite is wrong', async () => {
    server = await serveStore();
    const checks = await runSuite(
      `
suite: S
setup: [{ request: GET /9, capture: { status: status } }]
tests:
  - { name: skipped, skipWhen: { "\${status}": 404 }, steps: [{ request: GET / }] }
  - { name: run, skipWhen: { "\${status}": 200 }, steps: [{ request: GET / }] }
  - { name: bad path, steps: [{ request: GET /9, expect: { jsonpath: { "$.a[": 1 } } }] }
  - { name: bad schema, steps: [{ request: GET /9, expect: { schema: { type: strng } } }] }
  - { name: sleeps too long, timeout: 1s, steps: [{ sleep: 2s }] }
`,
      server.target,
    );
    expect(checks.map((check) => [check.status, check.points])).toEqual([
      ['skipped', 0],
      ['passed', 1],
      ['errored', 0],
      ['errored', 0],
      ['errored', 0],
    ]);
    expect(checks[2]?.message).toContain('"$.a[" is not a JSONPath');
  });

  it('runs teardown after a failure, and lets it decide nothing', async () => {
    const seen: string[] = [];
    server = await serveHttp((request, response) => {
      seen.push(`${request.method} ${request.url}`);
      json(response, request.method === 'DELETE' ? 500 : 200, {});
    });
    const checks = await runSuite(
      'suite: S\nteardown: [{ request: DELETE /x, expect: { status: 204 } }]\ntests:\n' +
        '  - { name: a, steps: [{ request: GET /, expect: { status: 201 } }] }\n  - { name: b, steps: [{ request: GET / }] }',
      server.target,
    );
    expect(checks.map((check) => check.status)).toEqual(['failed', 'passed']);
    expect(seen).toEqual(['GET /', 'DELETE /x', 'GET /', 'DELETE /x']);
  });

  it('repeats until it holds, or says how often it tried', async () => {
    let count = 0;
    server = await serveHttp((_request, response) => json(response, 200, { count: (count += 1) }));
    expect(
      (
        await runSteps(
          '- { request: GET /, retry: { within: 2s, every: 10ms }, expect: { json: { count: 4 } } }',
          server.target,
        )
      ).status,
    ).toBe('passed');
    const check = await runSteps(
      '- { request: GET /, retry: { within: 60ms, every: 10ms }, expect: { json: { count: 1 } } }',
      server.target,
    );
    expect(check.message).toMatch(/^expected \$\.count to be 1, got \d+ \(tried [2-9] times within 60 ms\)$/);
    expect(check.evidence?.exchanges).toHaveLength(1);
  });

  it('draws the same data from the same seed, and other data for other checks and seeds', async () => {
    const bodies: string[] = [];
    server = await serveHttp((_request, response, body) => {
      bodies.push(body);
      json(response, 200, {});
    });
    const suite =
      'suite: S\nvars: { a: "${random.slug}" }\ntests:\n  - { name: x, steps: [{ request: POST /, text: "${a} ${random.int}" }] }\n  - { name: y, steps: [{ request: POST /, text: "${a} ${random.int}" }] }';
    for (const seed of ['1', '1', '2']) {
      await runSuite(suite, server.target, { seed });
    }
    expect(bodies.slice(0, 2)).toEqual(bodies.slice(2, 4));
    expect(new Set(bodies).size).toBe(4);
  });
});

describe('requests at once', () => {
  it('are all under way before the first is answered', async () => {
    const waiting: http.ServerResponse[] = [];
    server = await serveHttp((_request, response) => {
      waiting.push(response);
      if (waiting.length === 100) {
        waiting.forEach((one) => json(one, 200, {}));
      }
    });
    const check = await runSteps(
      '- { parallel: 100, request: GET /, expect: { status: 200 } }',
      server.target,
      { requestTimeoutMs: 3000 },
    );
    expect(check).toMatchObject({ status: 'passed', message: '' });
  });

  it('show only a few of those that failed, with their number', async () => {
    let count = 0;
    server = await serveHttp((_request, response) => json(response, (count += 1) % 5 === 0 ? 500 : 200, {}));
    const check = await runSteps(
      '- { parallel: 50, request: GET /, expect: { status: 200 } }',
      server.target,
    );
    expect(check.message).toBe('10 of 50 parallel requests failed; the first: expected status 200, got 500');
    expect(check.evidence?.exchanges?.map((one) => one.response?.status)).toEqual([500, 500, 500]);
  });

  it('are counted by status', async () => {
    let count = 0;
    server = await serveHttp((_request, response) => json(response, (count += 1) <= 3 ? 201 : 409, {}));
    const check = await runSteps(
      '- { parallel: 10, request: PUT /x, tally: { "201": 1, "409": 9 } }',
      server.target,
    );
    expect(check.message).toBe(
      'expected the number of answers with status 201 to be 1, got 3 (3 × 201, 7 × 409)',
    );
    expect(check.evidence?.at).toBe('steps[0].tally["201"]');
    expect(
      check.evidence?.exchanges
        ?.map((one) => one.response?.status)
        .slice(-2)
        .toSorted(),
    ).toEqual([201, 409]);
  });

  it('open a connection each, unless the suite keeps them', async () => {
    const ports = new Set<number>();
    server = await serveHttp((request, response) => {
      ports.add(request.socket.remotePort ?? 0);
      json(response, 200, {});
    });
    const test = 'tests: [{ name: t, steps: [{ repeat: 5, request: GET / }] }]';
    await runSuite(`suite: S\n${test}`, server.target);
    expect(ports.size).toBe(5);
    ports.clear();
    await runSuite(`suite: S\nkeepAlive: true\n${test}`, server.target);
    expect(ports.size).toBe(1);
  });

  it('replace a kept connection that the service had closed', async () => {
    server = await serveRaw({
      onRequest: (socket) => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
        setTimeout(() => socket.destroy(), 20);
      },
    });
    const steps = '[{ request: GET / }, { sleep: 60ms }, { request: GET /, expect: { text: ok } }]';
    const [check] = await runSuite(
      `suite: S\nkeepAlive: true\ntests: [{ name: t, steps: ${steps} }]`,
      server.target,
    );
    expect(check).toMatchObject({ status: 'passed' });
  });
});

describe('evidence', () => {
  it('stays within its cap, whatever the service sends', async () => {
    server = await serveHttp((_request, response) => {
      json(response, 200, { a: '\u0001"é'.repeat(100_000) }, { 'x-long': '"'.repeat(9000) });
    });
    const step = `- { request: "POST /${'p'.repeat(3000)}", json: { b: { $repeat: { text: "\\"", times: 100000 } } }, expect: { json: { $partial: { a: 1 } } } }`;
    const check = await runSteps(`- { repeat: 6, request: GET / }\n${step}`, server.target);
    expect(check.status).toBe('failed');
    const size = Buffer.byteLength(JSON.stringify(check.evidence));
    expect(size).toBeLessThanOrEqual(PROTOCOL_LIMITS.evidenceBytes);
    expect(check.evidence?.exchanges?.at(-1)?.response).toMatchObject({ status: 200, bodyTruncated: true });
    expect(check.message.length).toBeLessThanOrEqual(4000);
  });
});

describe('time', () => {
  it('ends a check at its own limit', async () => {
    server = await serveHttp((_request, response) => json(response, 200, {}));
    const begin = performance.now();
    const [check] = await runSuite(
      'suite: S\ntests: [{ name: t, timeout: 300ms, steps: [{ repeat: 10000, request: GET /, expect: { status: 200 } }] }]',
      server.target,
    );
    expect(check).toMatchObject({ status: 'failed' });
    expect(check?.message).toMatch(/did not end within 300 ms|time of the whole check/);
    expect(performance.now() - begin).toBeLessThan(2000);
  });

  it('fails what a slow service leaves no time for, at once', async () => {
    server = await serveRaw({});
    const tests = Array.from(
      { length: 20 },
      (_, n) => `  - { name: t${n}, steps: [{ request: GET / }] }`,
    ).join('\n');
    const begin = performance.now();
    const checks = await runSuite(`suite: S\ntests:\n${tests}`, server.target, {
      deadlineMs: 2000,
      requestTimeoutMs: 700,
    });
    expect(performance.now() - begin).toBeLessThan(2500);
    expect(checks).toHaveLength(20);
    expect(checks.at(-1)).toMatchObject({
      status: 'failed',
      message: 'not reached: the service used up the 2 s of the stage',
    });
  });

  it('does not blame the service for the pauses of the suite', async () => {
    server = await serveHttp((_request, response) => json(response, 200, {}));
    const tests = Array.from({ length: 6 }, (_, n) => `  - { name: t${n}, steps: [{ sleep: 400ms }] }`).join(
      '\n',
    );
    const checks = await runSuite(`suite: S\ntests:\n${tests}`, server.target, { deadlineMs: 1200 });
    expect(checks.at(-1)).toMatchObject({
      status: 'errored',
      message: expect.stringContaining('pauses of the suite') as unknown,
    });
  });
});
