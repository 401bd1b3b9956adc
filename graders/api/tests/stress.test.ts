import { Readable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startChildService } from './helpers/child-service.ts';
import { runSteps } from './helpers/run-suite.ts';
import { serveHttp, serveRaw } from './helpers/tcp-server.ts';

/** Keeps what it is sent in a file when `KEEPS`, and ends at SIGTERM when `ENDS`. */
function service(keeps: boolean, ends: boolean): string {
  return `
    const http = require('node:http');
    const fs = require('node:fs');
    const file = '/tmp/assay-stress-' + process.env.PORT;
    const known = new Set(${keeps} && fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\\n') : []);
    const server = http.createServer((request, response) => {
      const id = request.url.slice(1);
      if (request.method === 'POST') {
        known.add(id);
        if (${keeps}) fs.appendFileSync('/tmp/assay-stress-' + server.address().port, id + '\\n');
        response.writeHead(201).end(JSON.stringify({ id }));
      } else response.writeHead(known.has(id) ? 200 : 404).end();
    });
    server.listen(Number(process.env.PORT), '127.0.0.1', () => console.log(server.address().port));
    process.on('SIGTERM', () => ${ends} && process.exit(0));`;
}

const STOP_UNDER_LOAD = `
- while:
    - { sleep: 500ms }
    - { service: stop }
  workers: 4
  keep:
    - { request: "POST /n\${index}", expect: { status: 201 }, capture: { "ids[]": $.id } }
- { service: start, readyWithin: 60s }
- assert: { "\${ids}": { $unique: true, $length: { $gt: 0 } } }
- each: "\${ids}"
  steps: [{ request: "GET /\${item}", expect: { status: 200 } }]`;

describe('while', () => {
  it('finds what a service forgets that was answered when it stopped, and nothing else', async () => {
    for (const keeps of [true, false]) {
      const child = await startChildService(service(keeps, true));
      onTestFinished(() => child.close());
      const { control } = child;
      const check = await runSteps(STOP_UNDER_LOAD, child.target, { control });
      expect(check.message).toMatch(
        keeps ? /^$/ : /^\d+ of \d+ elements failed; the first: expected status 200, got 404$/,
      );
    }
  }, 60_000);

  it('fails by its workers when nothing acts on the service', async () => {
    const server = await serveHttp((request, response) =>
      response.writeHead(request.url === '/' ? 200 : 500).end(),
    );
    onTestFinished(() => server.close());
    function steps(path: string): string {
      return `
- while: [{ repeat: 5, request: GET / }]
  workers: 2
  keep: [{ request: GET ${path}, expect: { status: 200 } }]`;
    }
    expect(await runSteps(steps('/'), server.target)).toMatchObject({ status: 'passed' });
    const check = await runSteps(steps('/other'), server.target);
    expect(check).toMatchObject({ status: 'failed', message: 'expected status 200, got 500' });
    expect(check.evidence?.at).toBe('steps[0].keep[0].expect.status');
  }, 60_000);
});

describe('service', () => {
  it('fails an orderly stop that ends in a kill, and a start that takes too long', async () => {
    const server = await serveHttp((_request, response) => response.end());
    onTestFinished(() => server.close());
    const forced = { control: async () => await Promise.resolve({ ok: true, forced: true }) };
    const stop = '- { service: restart, grace: 2s, orderly: true }';
    expect((await runSteps(stop, server.target, forced)).message).toBe(
      'the service did not end within 2 s of SIGTERM and had to be killed',
    );
    expect((await runSteps(stop.replace(', orderly: true', ''), server.target, forced)).status).toBe(
      'passed',
    );
    const slow = {
      control: async () => await Promise.resolve({ ok: true, readyMs: 50 }),
    };
    expect((await runSteps('- { service: start, readyWithin: 1ms }', server.target, slow)).message).toMatch(
      /^the service was ready after \d+ ms, expected within 1 ms$/,
    );
  });
});

it('memory is read again until it fits, and fails with both readings', async () => {
  const server = await serveHttp((_request, response) => response.end());
  onTestFinished(() => server.close());
  function readings(...mebibytes: number[]) {
    const left = [...mebibytes];
    return {
      control: async (action: string) =>
        await Promise.resolve(
          action === 'stats'
            ? {
                ok: true,
                stats: {
                  cpuMs: 0,
                  pids: 1,
                  memoryBytes: (left.shift() ?? mebibytes.at(-1) ?? 0) * 1024 ** 2,
                },
              }
            : { ok: true },
        ),
    };
  }
  const step = '- { memory: { growsAtMost: 10MiB }, over: [{ request: GET / }] }';
  expect((await runSteps(step, server.target, readings(20, 90, 25))).status).toBe('passed');
  expect((await runSteps(step, server.target, readings(20, 90))).message).toBe(
    'the memory of the service grew by 70.0 MiB, expected at most 10.0 MiB',
  );
  expect((await runSteps(step, server.target)).status).toBe('errored');
});

describe('raw', () => {
  const step =
    '- { raw: { send: ["GET / HTTP/1.1\\r\\n", { pause: 20ms }, { repeat: { text: "A: b\\r\\n", times: 3 } }, "\\r\\n"], connections: 2 }, expect: EXPECT }';

  it.each([
    ['400', 'HTTP/1.1 400 Bad Request\r\n\r\n', '{ status: "4xx" }', ''],
    ['200', 'HTTP/1.1 200 OK\r\n\r\n', '{ status: "4xx", orClosed: true }', 'expected status 4xx, got 200'],
    ['a close', null, '{ orClosed: true }', ''],
    ['a close', null, '{ status: 400 }', 'the service closed the connection without an answer'],
    [
      'nothing',
      '',
      '{ status: 400, within: 50ms }',
      'neither an answer nor a close came within 50 ms of the last byte',
    ],
    ['noise', 'hello\r\n', '{ status: 400, within: 50ms }', 'what came back is no HTTP answer'],
    ['open noise', 'hello\r\n', '{ orClosed: true, within: 50ms }', 'what came back is no HTTP answer'],
    ['noise and a close', 'hello\r\n$', '{ status: 400, orClosed: true }', ''],
    ['half an answer and a close', 'HTTP/1.$', '{ orClosed: true }', 'what came back is no HTTP answer'],
  ])('%s is judged by %s', async (_name, answer, expected, problem) => {
    const heads: string[] = [];
    const server = await serveRaw({
      onRequest: (socket, head) => {
        heads.push(head);
        if (answer === null) {
          socket.end();
        } else if (answer.endsWith('$')) {
          socket.end(answer.slice(0, -1));
        } else {
          socket.write(answer);
        }
      },
    });
    onTestFinished(() => server.close());
    const check = await runSteps(step.replace('EXPECT', expected), server.target);
    expect(check.message).toBe(problem === '' ? '' : `2 of 2 raw connections failed; the first: ${problem}`);
    expect(heads[0]).toBe('GET / HTTP/1.1\r\nA: b\r\nA: b\r\nA: b\r\n\r\n');
    expect(check.evidence?.exchanges?.[0]?.request.body ?? '<pause of 20 ms>').toContain('<pause of 20 ms>');
  });
});

it('a start is not late for what the host itself needs', async () => {
  const server = await serveHttp((_request, response) => response.end());
  onTestFinished(() => server.close());
  const slowHost = {
    control: async () =>
      await new Promise<{ ok: true; readyMs: number }>((resolve) => {
        setTimeout(() => resolve({ ok: true, readyMs: 5 }), 100);
      }),
  };
  const check = await runSteps('- { service: restart, readyWithin: 50ms }', server.target, slowHost);
  expect(check).toMatchObject({ status: 'passed', message: '' });
});

it('a service that has ended fails a check of its memory; a host that cannot read it is ours', async () => {
  const server = await serveHttp((_request, response) => response.end());
  onTestFinished(() => server.close());
  const step = '- { memory: { growsAtMost: 64MiB }, over: [{ request: GET / }] }';
  for (const [error, status] of [
    ['the service does not run', 'failed'],
    ['the engine does not answer', 'errored'],
  ] as const) {
    const check = await runSteps(step, server.target, {
      control: async (action) =>
        await Promise.resolve(action === 'stats' ? { ok: false, error } : { ok: true }),
    });
    expect(check.status).toBe(status);
  }
});

it('what the service was to give and did not is its failure', async () => {
  let requests = 0;
  const server = await serveHttp((request, response) => {
    requests += 1;
    if (request.url === '/busy') {
      response.writeHead(503).end();
    } else if (request.url === '/closes') {
      request.socket.destroy();
    } else {
      response.end('"a text"');
    }
  });
  onTestFinished(() => server.close());
  const refusing = `
- while: [{ sleep: 50ms }, { service: restart }]
  workers: 2
  keep: [{ request: POST /busy, expect: { status: 201 }, capture: { "codes[]": $.code } }]
- { each: "\${codes}", steps: [{ request: "GET /\${item}" }] }`;
  const closing = `
- { request: GET /closes, expect: { status: 200, orClosed: true }, capture: { code: $.code } }
- { request: "GET /\${code}" }`;
  const text = `
- { request: GET /text, capture: { list: $ } }
- { each: "\${list}", steps: [{ request: "GET /\${item}" }] }`;
  expect(await runSteps(refusing, server.target)).toMatchObject({
    status: 'failed',
    message: 'expected status 201, got 503',
  });
  expect(await runSteps(closing, server.target)).toMatchObject({
    status: 'failed',
    message: '"${code}" has no value here',
  });
  expect(await runSteps(text, server.target)).toMatchObject({
    status: 'failed',
    message: '"${list}" is no list',
  });
  expect(requests).toBeGreaterThan(3);
});

it('raw hears no more than the beginning of an endless answer, and hangs up', async () => {
  const hungUp: Promise<unknown>[] = [];
  const server = await serveRaw({
    onConnect: (socket) => {
      hungUp.push(new Promise((resolve) => socket.on('close', resolve)));
      Readable.from(garbage())
        .on('error', () => undefined)
        .pipe(socket);
    },
  });
  onTestFinished(() => server.close());
  const step = '- { raw: { send: ["x", { pause: 60s }] }, expect: { status: 400, within: 60s } }';
  const check = await runSteps(step, server.target, { checkTimeoutMs: 30_000 });
  await Promise.all(hungUp);
  expect(check.message).toBe('what came back is no HTTP answer');
  expect(check.durationMs).toBeLessThan(25_000);
}, 60_000);

it('raw without an expectation fails when the time of the check is over', async () => {
  const server = await serveRaw({});
  onTestFinished(() => server.close());
  const step = '- { raw: { send: ["x", { pause: 60s }] } }';
  expect((await runSteps(step, server.target, { checkTimeoutMs: 300 })).message).toMatch(
    /did not end within/,
  );
});

function* garbage(): Generator<Buffer> {
  for (;;) {
    yield Buffer.alloc(64 * 1024, 'x');
  }
}
