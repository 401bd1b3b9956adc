import { gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { runSteps } from './helpers/run-suite.ts';
import type { RunOptions } from './helpers/run-suite.ts';
import { serveRaw } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const OK = 'HTTP/1.1 200 OK\r\n';

/** What one request to a service that answers like this comes to: the class, then the message. */
async function outcomeOf(
  onRequest: (socket: Socket) => void,
  steps = '- request: GET /',
  options: RunOptions = {},
): Promise<string> {
  server = await serveRaw({ onRequest });
  const check = await runSteps(steps, server.target, { requestTimeoutMs: 300, ...options });
  expect(check.status).not.toBe('errored');
  const error = check.evidence?.exchanges?.at(-1)?.error ?? '';
  return `${check.status} ${error.split(':')[0] ?? ''} ${check.message}`;
}

/** Writes chunk after chunk until the other side has enough. */
function flood(socket: Socket, chunk: string): void {
  let open = true;
  socket.on('close', () => {
    open = false;
  });
  function more(): void {
    while (open && socket.write(chunk)) {
      // The socket takes more.
    }
    if (open) {
      socket.once('drain', more);
    }
  }
  more();
}

it('ends a body that comes byte by byte', async () => {
  const outcome = await outcomeOf((socket) => {
    socket.write(`${OK}content-length: 100\r\n\r\n`);
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  expect(outcome).toBe('failed TIMEOUT the answer was not complete within 300 ms');
});

it('ends headers that come byte by byte', async () => {
  const outcome = await outcomeOf((socket) => {
    socket.write(OK);
    const timer = setInterval(() => socket.write('x'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  expect(outcome).toBe('failed TIMEOUT no answer within 300 ms');
});

it('does not wait for a service that never answers', async () => {
  expect(await outcomeOf(() => undefined)).toBe('failed TIMEOUT no answer within 300 ms');
});

it('gives up when the time of the check is over', async () => {
  const options = { requestTimeoutMs: 5000, checkTimeoutMs: 600 };
  const outcome = await outcomeOf(() => undefined, '- request: GET /', options);
  expect(outcome).toBe('failed TIMEOUT no answer before the time of the whole check was over');
});

it.each<[string, (socket: Socket) => void, string]>([
  [
    'closes without an answer',
    (socket) => socket.end(),
    'failed CONN_CLOSED the connection was closed without an answer',
  ],
  [
    'resets',
    (socket) => socket.resetAndDestroy(),
    'failed CONN_RESET the connection was reset without an answer',
  ],
  [
    'closes in the middle of the body',
    (socket) => socket.end(`${OK}content-length: 100\r\n\r\nabc`),
    'failed CONN_CLOSED the connection was closed in the middle of the answer',
  ],
  [
    'closes in the middle of a chunked body',
    (socket) => socket.end(`${OK}transfer-encoding: chunked\r\n\r\n5\r\nabc`),
    'failed CONN_CLOSED the connection was closed in the middle of the answer',
  ],
])('names what happened when the service %s', async (_what, onRequest, expected) => {
  expect(await outcomeOf(onRequest)).toBe(expected);
});

it('says that nobody listens', async () => {
  server = await serveRaw({});
  const { target } = server;
  await server.close();
  const note = 'It ended by itself with code 0.';
  const check = await runSteps('- request: GET /', target, {
    control: () => Promise.resolve({ ok: true, note }),
  });
  expect(check).toMatchObject({
    status: 'failed',
    message:
      'the connection was refused. During this check the service ended: It ended by itself with code 0.',
  });
});

it.each([
  ['a bad status line', 'HTTP/1.1 abc Nope\r\n\r\n'],
  ['HTTP/0.9', 'hello\n'],
  ['another protocol', 'SSH-2.0-OpenSSH_9.0\r\n'],
  ['headers of 1 MB', `${OK}x: ${'y'.repeat(1_000_000)}\r\n\r\n`],
  ['10,000 headers', `${OK}${'abc: def\r\n'.repeat(10_000)}\r\n`],
  ['a header name with a space', `${OK}a b: c\r\n\r\n`],
  ['NUL in a header', `${OK}a: b\0c\r\ncontent-length: 0\r\n\r\n`],
  ['a negative length', `${OK}content-length: -5\r\n\r\n`],
  ['two lengths', `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nabcdef`],
  ['a length beside chunks', `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
  ['a chunk size that is none', `${OK}transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n`],
  [
    'a protocol switch',
    'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n',
  ],
])('takes %s for what it is', async (_what, answer) => {
  expect(await outcomeOf((socket) => socket.write(answer, 'latin1'))).toMatch(/^failed BAD_HTTP /);
});

it('stops at a flood of informational answers', async () => {
  const outcome = await outcomeOf((socket) =>
    flood(socket, 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n'.repeat(100)),
  );
  expect(outcome).toMatch(/^failed BAD_HTTP more than 20 informational/);
});

it('takes a few informational answers in its stride', async () => {
  const answer = `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(3)}${OK}content-length: 2\r\n\r\nok`;
  expect(
    await outcomeOf(
      (socket) => socket.write(answer),
      '- { request: GET /, expect: { status: 200, text: ok } }',
    ),
  ).toBe('passed  ');
});

it.each([
  ['without end', (socket: Socket) => flood(socket, 'x'.repeat(65_536)), OK],
  [
    'in chunks without end',
    (socket: Socket) => flood(socket, '8000\r\n'.concat('x'.repeat(0x8000), '\r\n')),
    `${OK}transfer-encoding: chunked\r\n`,
  ],
])('stops reading a body %s', async (_what, stream, head) => {
  const outcome = await outcomeOf(
    (socket) => {
      socket.write(`${head}\r\n`);
      stream(socket);
    },
    '- request: GET /',
    { requestTimeoutMs: 5000 },
  );
  expect(outcome).toBe('failed BODY_TOO_LARGE the body is larger than 1048576 bytes');
});

it('records a redirect and does not follow it', async () => {
  let requests = 0;
  const outcome = await outcomeOf((socket) => {
    requests += 1;
    socket.end('HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest\r\ncontent-length: 0\r\n\r\n');
  }, '- { request: GET /, expect: { status: 302 }, capture: { to: "header:location" } }\n- request: GET ${to}');
  expect(outcome).toMatch(/^failed {2}"http:\/\/169.254.169.254\/latest" leads away from the service/);
  expect(requests).toBe(1);
});

it.each([
  'file:///etc/passwd',
  'gopher://localhost/',
  'http://localhost:1/',
  'https://localhost/',
  '//',
  'http://user@elsewhere/',
])('does not go to %s', async (location) => {
  const steps =
    '- { request: GET /, capture: { to: "header:location" } }\n- { request: "GET ${to}", expect: { status: 418 } }';
  const outcome = await outcomeOf(
    (socket) => socket.end(`HTTP/1.1 302 Found\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`),
    steps,
  );
  expect(outcome).toMatch(/leads away from the service|is not an address|got 302/);
});

it('unpacks no bomb', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000));
  function answer(socket: Socket): void {
    socket.write(`${OK}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    socket.end(bomb);
  }
  const options = { requestTimeoutMs: 5000 };
  expect(await outcomeOf(answer, '- { request: GET /, decompress: true }', options)).toBe(
    'failed BODY_TOO_LARGE the decoded body is larger than 1048576 bytes',
  );
  await server?.close();
  const outcome = await outcomeOf(answer, '- { request: GET /, expect: { json: {} } }', options);
  expect(outcome).toContain('encoded as "gzip", which was not asked for');
});

it('refuses a chain of encodings', async () => {
  const chain = Array.from({ length: 1000 }, () => 'gzip').join(',');
  const outcome = await outcomeOf(
    (socket) => socket.end(`${OK}content-encoding: ${chain}\r\ncontent-length: 1\r\n\r\nx`),
    '- { request: GET /, decompress: true }',
  );
  expect(outcome).toBe('failed BAD_ENCODING the body is encoded 1000 times');
});

it('is not confused by answers that nobody asked for', async () => {
  server = await serveRaw({
    onConnect: (socket) => socket.write(`${OK}content-length: 3\r\n\r\none${OK}content-length: 3\r\n\r\ntwo`),
  });
  const step = '- { request: GET /, expect: { text: one } }';
  const check = await runSteps(`${step}\n${step}\n${step}`, server.target);
  expect(check).toMatchObject({ status: 'passed', message: '' });
});

it.each([
  [
    '10,000 levels',
    '['.repeat(10_000) + ']'.repeat(10_000),
    'expected a JSON body, but it is nested deeper than 200 levels',
  ],
  ['1e400', '{"a":1e400}', 'expected $.a to be 1, got Infinity'],
  ['__proto__', '{"__proto__":{"a":1}}', 'expected $.a to be 1, but it is missing (and 1 more)'],
  [
    'a repeated key',
    '{"a":1,"b":1,"a":2}',
    'expected $.a to be 1, got 2 (and 1 more) (note: the key "a" stands twice in one object)',
  ],
  [
    'a byte order mark',
    '\uFEFF{"a":2}',
    'expected $.a to be 1, got 2 (note: the body begins with a byte order mark)',
  ],
  ['a lone surrogate', '{"a":"\\ud800"}', 'expected $.a to be 1, got "\\ud800"'],
  ['nothing', '', 'expected a JSON body, but it is empty'],
  ['half of it', '{"a":', 'expected a JSON body, but Unexpected end of JSON input'],
  ['a very long text', `"${'x'.repeat(900_000)}"`, 'got "xxx'],
])('survives JSON with %s', async (_what, json, message) => {
  const body = Buffer.from(json);
  const outcome = await outcomeOf(
    (socket) => {
      socket.write(`${OK}content-length: ${body.length}\r\n\r\n`);
      socket.end(body);
    },
    '- { request: GET /, expect: { json: { a: 1 } } }',
    { requestTimeoutMs: 5000 },
  );
  expect(outcome).toContain(message);
});

it('passes JSON with a byte order mark or a repeated key that is right', async () => {
  const body = Buffer.from('\uFEFF{"a":2,"a":1}');
  const outcome = await outcomeOf((socket) => {
    socket.write(`${OK}content-length: ${body.length}\r\n\r\n`);
    socket.end(body);
  }, '- { request: GET /, expect: { json: { a: 1 } } }');
  expect(outcome).toBe('passed  ');
});

it('ends a pattern that runs away over what the service sent', async () => {
  const body = `${'a'.repeat(40)}b`;
  const began = process.cpuUsage();
  const outcome = await outcomeOf(
    (socket) => socket.end(`${OK}content-length: ${body.length}\r\n\r\n${body}`),
    "- { request: GET /, expect: { text: { $matches: '^(a+)+$' } } }",
  );
  const { user, system } = process.cpuUsage(began);
  expect(outcome).toContain('could not be compared within 2 s');
  // Of CPU time, which is the same on a busy machine.
  expect((user + system) / 1000).toBeLessThan(6000);
});

it('takes an echoed value for text, not for a pattern', async () => {
  const body = '{"code":"(a+)+$.*"}';
  const steps =
    '- { request: GET /, capture: { code: $.code } }\n- { request: GET /, expect: { text: { $matches: "code.:.${code}." } } }';
  expect(
    await outcomeOf((socket) => socket.end(`${OK}content-length: ${body.length}\r\n\r\n${body}`), steps),
  ).toBe('passed  ');
});

it('keeps a captured line break out of headers and paths', async () => {
  const body = '{"code":"a\\r\\nx: y b"}';
  function answer(socket: Socket): void {
    socket.end(`${OK}content-length: ${body.length}\r\n\r\n${body}`);
  }
  const capture = '- { request: GET /, capture: { code: $.code } }\n';
  expect(
    await outcomeOf(answer, `${capture}- { request: GET /, headers: { x-code: "\${code}" } }`),
  ).toContain('cannot be sent in the header "x-code"');
  await server?.close();
  const heads: string[] = [];
  server = await serveRaw({
    onRequest: (socket, head) => {
      heads.push(head.split('\r\n')[0] ?? '');
      answer(socket);
    },
  });
  await runSteps(`${capture}- request: GET /\${code}`, server.target);
  expect(heads[1]).toBe('GET /a%0D%0Ax:%20y%20b HTTP/1.1');
});
