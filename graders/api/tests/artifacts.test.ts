import { afterEach, expect, it } from 'vitest';
import type { GraderEvent } from '../../../src/domain/grader-protocol.ts';
import { runSuite } from './helpers/run-suite.ts';
import { serveHttp } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Runs a suite and puts its artifacts together as the host does. */
async function grade(suite: string) {
  const files = new Map<string, Buffer>();
  function keep(event: GraderEvent): void {
    if (event.event === 'artifact') {
      const before = event.append === true ? (files.get(event.name) ?? Buffer.alloc(0)) : Buffer.alloc(0);
      files.set(event.name, Buffer.concat([before, Buffer.from(event.base64, 'base64')]));
    }
  }
  const checks = await runSuite(suite, server?.target ?? { address: '', port: 0 }, { onEvent: keep });
  const har = files.get('api.har')?.toString() ?? '';
  const junit = files.get('api.junit.xml')?.toString() ?? '';
  return { checks, har, junit, log: (JSON.parse(har) as { log: HarShape }).log };
}

interface HarShape {
  version: string;
  pages: { id: string; comment?: string }[];
  entries: {
    pageref: string;
    time: number;
    startedDateTime: string;
    request: { method: string; url: string; headers: object[]; postData?: { text: string } };
    response: { status: number; content: { text?: string; size: number } };
    comment: string;
  }[];
}

it('hands over every exchange as HAR and every check as JUnit XML', async () => {
  server = await serveHttp((request, response, body) => {
    response.writeHead(request.method === 'POST' ? 201 : 404, { 'content-type': 'text/plain' });
    response.end(`got ${body}`);
  });
  const { log, junit } = await grade(`
suite: A & B
tests:
  - name: creates
    steps:
      - { request: POST /things?x=1, json: { a: 1 }, expect: { status: 201 } }
      - { repeat: 50, request: GET /things }
  - name: <finds>
    steps:
      - { request: GET /things, expect: { status: 200 } }
`);
  expect(log).toMatchObject({
    version: '1.2',
    creator: { name: 'assay' },
    pages: [
      { id: 'test/creates', comment: '11 more exchanges of this check are not shown' },
      { id: 'test/finds' },
    ],
  });
  expect(log.entries).toHaveLength(41);
  expect(log.entries[0]).toMatchObject({
    pageref: 'test/creates',
    request: {
      method: 'POST',
      url: expect.stringMatching(/\/things\?x=1$/) as string,
      queryString: [{ name: 'x', value: '1' }],
      postData: { mimeType: 'application/json', text: '{"a":1}' },
    },
    response: { status: 201, content: { text: 'got {"a":1}', size: 11, mimeType: 'text/plain' } },
    cache: {},
  });
  expect(Date.parse(log.entries[0]?.startedDateTime ?? '')).toBeGreaterThan(Date.parse('2020-01-01'));
  expect(junit).toContain('<testsuite name="A &amp; B" tests="2" failures="1"');
  expect(junit).toContain('<testcase name="&lt;finds&gt;" classname="test/finds"');
});

it('keeps an answer that never came', async () => {
  server = await serveHttp((request) => request.socket.destroy());
  const { log } = await grade('suite: S\ntests: [{ name: t, steps: [{ request: GET / }] }]');
  expect(log.entries[0]).toMatchObject({
    response: { status: 0 },
    comment: expect.stringContaining('CONN_') as string,
  });
});

it('shows no secret: credentials in headers, cookies, and variables that the suite names', async () => {
  server = await serveHttp((request, response, body) => {
    response.setHeader('set-cookie', 'sid=c00kie-of-the-session; Path=/; HttpOnly');
    response.setHeader('x-echo', String(request.headers.authorization));
    response.end(JSON.stringify({ token: 'tok-"abc"-123456', body, error: 'no such thing' }));
  });
  const { checks, har, junit } = await grade(`
suite: S
vars: { password: "pw-\${random.slug(12)}-x" }
secrets: [password, token]
tests:
  - name: t
    steps:
      - request: POST /login
        json: { password: "\${password}" }
        headers: { x-api-key: key-of-ours-1 }
        capture: { token: $.token, cookie: { from: "header:set-cookie", matches: "^([^;]+)" } }
      - request: GET /me?key=\${token}
        headers: { authorization: "Bearer abcdefgh.ijkl", cookie: "\${cookie}" }
        expect: { json: { token: "\${token}" } }
`);
  const shown = JSON.stringify(checks) + har + junit;
  expect(checks[0]?.status).toBe('failed');
  for (const secret of ['tok-', 'c00kie', 'abcdefgh', 'key-of-ours', 'pw-']) {
    expect(shown).not.toContain(secret);
  }
  expect(shown).toContain('[secret password]');
  expect(shown).toContain('Bearer [redacted]');
  expect(shown).toContain('sid=[redacted]; Path=/; HttpOnly');
  expect(checks[0]?.evidence?.exchanges?.[1]?.curl).toContain("-H 'authorization: Bearer [redacted]'");
});
