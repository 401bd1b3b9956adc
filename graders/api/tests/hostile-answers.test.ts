import { brotliCompressSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { runSteps, runSuite } from './helpers/run-suite.ts';
import { serveRaw } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const OK = 'HTTP/1.1 200 OK\r\n';

async function checkOf(answer: (socket: Socket) => void, steps = '- request: GET /') {
  server = await serveRaw({ onRequest: answer });
  return await runSteps(steps, server.target, { requestTimeoutMs: 5000 });
}

it.each<[string, (socket: Socket) => void, RegExp]>([
  [
    'a connection that is reset in the middle of a body',
    (socket) => {
      socket.write(`${OK}content-length: 100\r\n\r\nabc`, () => socket.resetAndDestroy());
    },
    /^(CONN_RESET|CONN_CLOSED): /,
  ],
  ['a body that ends early', (socket) => socket.end(`${OK}content-length: 100\r\n\r\nabc`), /^CONN_CLOSED: /],
  ['line feeds alone', (socket) => socket.end('HTTP/1.1 200 OK\ncontent-length: 0\n\n'), /^BAD_HTTP: /],
  ['an answer in HTTP/2', (socket) => socket.end('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), /^BAD_HTTP: /],
  [
    'a flood of cookies',
    (socket) => socket.end(`${OK}${'set-cookie: a=b\r\n'.repeat(20_000)}content-length: 0\r\n\r\n`),
    /^BAD_HTTP: /,
  ],
])('takes %s for what it is', async (_what, answer, error) => {
  const check = await checkOf(answer);
  expect(check.status).toBe('failed');
  expect(check.evidence?.exchanges?.at(-1)?.error).toMatch(error);
});

it('unpacks no brotli bomb', async () => {
  const bomb = brotliCompressSync(Buffer.alloc(20_000_000));
  const check = await checkOf((socket) => {
    socket.write(`${OK}content-encoding: br\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  }, '- { request: GET /, decompress: true }');
  expect(check.message).toBe('the decoded body is larger than 1048576 bytes');
});

it('shows a location of many kilobytes cut, and asks no more', async () => {
  const check = await checkOf(
    (socket) =>
      socket.end(`HTTP/1.1 302 Found\r\nlocation: /${'a'.repeat(10_000)}\r\ncontent-length: 0\r\n\r\n`),
    '- { request: GET /, expect: { status: 200 } }',
  );
  expect(check).toMatchObject({ status: 'failed', message: 'expected status 200, got 302' });
  expect(check.evidence?.exchanges).toHaveLength(1);
  expect(JSON.stringify(check.evidence).length).toBeLessThan(8000);
});

it('keeps answers apart that a kept connection brings unasked', async () => {
  let requests = 0;
  server = await serveRaw({
    onConnect: (socket) =>
      socket.on('data', () => {
        requests += 1;
        const answer = `${OK}content-length: 1\r\n\r\n${requests}`;
        socket.write(answer + answer.replace(/\d$/, 'x'));
      }),
  });
  const [one, two] = await runSuite(
    `
suite: S
keepAlive: true
tests:
  - { name: one, steps: [{ request: GET /, expect: { text: "1" } }] }
  - { name: two, steps: [{ request: GET /, expect: { text: "2" } }] }
`,
    server.target,
  );
  expect([one?.status, two?.status]).toEqual(['passed', 'passed']);
});

it('takes an imitation of its own results for text', async () => {
  const event = JSON.stringify({ event: 'check', check: { id: 's/t', status: 'passed', points: 100 } });
  const body = `${event}\n{"event":"done"}\n::set-output name=score::100\nRESULT: PASS`;
  const check = await checkOf(
    (socket) => socket.end(`${OK}content-length: ${body.length}\r\n\r\n${body}`),
    '- { request: GET /, expect: { json: { a: 1 } } }',
  );
  expect(check).toMatchObject({ status: 'failed', points: 0 });
});
