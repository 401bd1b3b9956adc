import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/http/app-types.ts';
import { readJson } from '../../../src/http/plugins/json-body.ts';
import { bareApp } from '../../helpers/http-app.ts';
import { listenOn, rawExchange, statusesIn } from '../../helpers/raw-http.ts';

const TIMEOUTS = { headersTimeoutMs: 400, requestTimeoutMs: 800 };

let app: App;
let port: number;
beforeAll(async () => {
  app = await bareApp(TIMEOUTS);
  port = await listenOn(app);
});
afterAll(() => app.close());

function postWith(headers: Record<string, string>, payload = '{}') {
  return app.inject({ method: 'POST', url: '/v1/tokens', headers, payload });
}

describe('bodies', () => {
  it.each([
    ['B07: empty boundary', 'multipart/form-data; boundary='],
    ['B07: boundary of 252 bytes', `multipart/form-data; boundary=${'a'.repeat(252)}`],
    ['B07: no boundary', 'multipart/form-data; charset=utf-8'],
    ['B07: control characters in it', 'multipart/form-data; boundary="a\tb"'],
    ['B07: space at its end', 'multipart/form-data; boundary="a "'],
  ])('%s is 400 at once', async (_name, type) => {
    const delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
    const answer = await postWith({ 'content-type': type });
    delay.disable();

    expect(answer.statusCode).toBe(400);
    expect(answer.json()).toMatchObject({ code: 'MALFORMED_UPLOAD' });
    expect(delay.max / 1e6).toBeLessThan(2000);
  });

  it.each([
    'application/json\ta',
    ' application/json',
    'application/json; junk',
    'application/jsonx',
    'application/json, text/html',
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/json; charset=utf-16',
  ])('B12: "%s" is 415, and no schema was skipped', async (type) => {
    const raw = await rawExchange(
      port,
      `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
    );

    // Space around a header's value is not part of it.
    expect(statusesIn(raw)).toEqual([type.startsWith(' ') ? 401 : 415]);
  });

  it.each(['gzip', 'br', 'deflate', 'gzip, gzip'])('B17: Content-Encoding %s is 415', async (encoding) => {
    const answer = await postWith({ 'content-type': 'application/json', 'content-encoding': encoding });

    expect(answer.statusCode).toBe(415);
  });

  it.each([
    ['deep', '['.repeat(10_000) + ']'.repeat(10_000)],
    ['deep in objects', '{"a":'.repeat(40) + '1' + '}'.repeat(40)],
    ['repeated key', '{"role":"reviewer","role":"admin"}'],
    ['repeated key, spelt otherwise', String.raw`{"role":1,"\u0072ole":2}`],
    ['mark in front', '\ufeff{}'],
    ['B08: __proto__', '{"__proto__":{"admin":true}}'],
    ['B08: __proto__, spelt otherwise', String.raw`{"\u005f_proto__":{"admin":true}}`],
    ['B08: constructor', '{"a":{"constructor":{"prototype":{"admin":true}}}}'],
    ['cut off', '{"a":'],
    ['cut off in a key', '{"a'],
    ['two documents', '{}{}'],
    ['empty', ''],
  ])('B14: JSON that is %s is MALFORMED_JSON', (_name, text) => {
    const began = performance.now();

    expect(() => readJson(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'MALFORMED_JSON' }) as Error,
    );
    expect(performance.now() - began).toBeLessThan(1000);
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it('B14: bytes that are no UTF-8 are MALFORMED_JSON', () => {
    expect(() => readJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow('no UTF-8');
  });

  it('reads JSON that is as it should be', () => {
    const text = String.raw`{"a":["x:\"y\"",{"b":1},{"b":2}],"c":"{\"d\":1,\"d\":2}","b" : null}`;

    expect(readJson(Buffer.from(text))).toEqual(JSON.parse(text));
  });
});

describe('addresses', () => {
  it.each([
    ['B16: 8 KB long', `/v1/me?x=${'a'.repeat(8000)}`, 414],
    ['B16: 10,000 parameters', `/v1/me?${Array.from({ length: 800 }, (_, i) => `a${i}`).join('&')}`, 400],
    ['B16: with a NUL', '/v1/submissions/%00', 400],
    ['B16: badly encoded', '/v1/submissions/%zz', 400],
    ['B16: with a long part', `/v1/submissions/${'a'.repeat(500)}`, 414],
    ['C10: with a token', '/v1/me?token=x', 400],
    ['C10: with a token under another name', '/v1/me?x=assay_admin_abcdefgh', 400],
    ['of nothing', '/v2/me', 404],
    ['with dots', '/v1/../../etc/passwd', 404],
  ])('%s', async (_name, url, status) => {
    const answer = await app.inject(url);

    expect(answer.statusCode).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
  });
});

describe('the connection', () => {
  it.each([
    ['B02: two lengths', 'content-length: 2\r\ncontent-length: 3\r\n\r\n{}'],
    ['B02: a negative length', 'content-length: -1\r\n\r\n{}'],
    ['B02: a length that is no number', 'content-length: 0x2\r\n\r\n{}'],
    [
      'B20: length and chunks',
      'content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: x\r\n\r\n',
    ],
    ['B20: chunks twice', 'transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n'],
    ['a broken chunk', 'transfer-encoding: chunked\r\n\r\nxyz\r\n'],
    ['headers that are too large', `x: ${'a'.repeat(20_000)}\r\n\r\n`],
  ])('%s is refused, and the connection closed', async (_name, rest) => {
    const raw = await rawExchange(
      port,
      `POST /v1/tokens HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${rest}`,
    );

    expect(statusesIn(raw).at(-1)).toBeGreaterThanOrEqual(400);
    expect(statusesIn(raw)).not.toContain(200);
  });

  it('B20: answers pipelined requests in order', async () => {
    const one = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
    const raw = await rawExchange(
      port,
      `${one}GET /nope HTTP/1.1\r\nhost: x\r\n\r\n${one.replace('\r\n\r\n', '\r\nconnection: close\r\n\r\n')}`,
    );

    expect(statusesIn(raw)).toEqual([200, 404, 200]);
  });

  it.each([
    ['TRACE', /^HTTP\/1\.1 (405|404|501)/],
    ['PATCH', /^HTTP\/1\.1 405/],
    ['CONNECT', /^(HTTP\/1\.1 4\d\d|$)/],
    ['NONSENSE', /^HTTP\/1\.1 400/],
  ])('B20: %s', async (method, expected) => {
    const raw = await rawExchange(
      port,
      `${method} /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`,
    );

    expect(raw).toMatch(expected);
  });

  it('B04: cuts slow clients off, and serves an honest one meanwhile', async () => {
    const sockets = Array.from({ length: 200 }, () => connect(port, '127.0.0.1'));
    const closed = sockets.map(
      (socket) =>
        new Promise<void>((resolve) => {
          socket.on('error', () => undefined);
          socket.on('data', () => undefined);
          socket.once('close', () => resolve());
          socket.write('GET /healthz HTTP/1.1\r\nhost: x\r\nx-slow: ');
        }),
    );

    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    await Promise.all(closed);
  });
});

describe('answers', () => {
  it('B21: say nothing to other origins', async () => {
    const answer = await app.inject({
      method: 'GET',
      url: '/healthz',
      headers: { origin: 'https://evil.example' },
    });
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/v1/tokens',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });

    expect(
      Object.keys({ ...answer.headers, ...preflight.headers }).filter((name) =>
        name.startsWith('access-control'),
      ),
    ).toEqual([]);
    expect(preflight.statusCode).toBe(405);
  });

  it('carry no cookie, are kept nowhere, and are believed to be what they say', async () => {
    const { headers } = await app.inject('/healthz');

    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'none'") as string,
    });
    expect(headers['set-cookie']).toBeUndefined();
    expect(headers['x-powered-by']).toBeUndefined();
    expect(headers['server']).toBeUndefined();
  });

  it('B23: tell of faults of ours nothing but a number to quote', async () => {
    // The store of a bare application throws an Error with its own words.
    const answer = await app.inject('/readyz');

    expect(answer.statusCode).toBe(500);
    expect(answer.json()).toMatchObject({ code: 'INTERNAL', requestId: answer.headers['x-request-id'] });
    expect(answer.body).not.toMatch(/store|\.ts|at \w|node_modules|fastify|zod|pg/i);
  });

  it('B18: limits what one address asks, an IPv6 customer by /64', async () => {
    const limited = await bareApp({ perAddress: 3 });
    async function ask(remoteAddress: string) {
      return await limited.inject({ url: '/healthz', remoteAddress });
    }
    for (const address of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3']) {
      expect((await ask(address)).statusCode).toBe(200);
    }
    const refused = await ask('2001:db8::4');

    expect(refused.statusCode).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await ask('2001:db8:0:1::1')).statusCode).toBe(200);
    await limited.close();
  });

  it('B19: believe nobody who says for whom he asks', async () => {
    const limited = await bareApp({ perAddress: 1 });
    async function ask(forwarded: string) {
      return await limited.inject({
        url: '/healthz',
        headers: { 'x-forwarded-for': forwarded, 'x-forwarded-host': 'evil' },
      });
    }

    expect((await ask('1.1.1.1')).statusCode).toBe(200);
    expect((await ask('2.2.2.2')).statusCode).toBe(429);
    await limited.close();
  });

  it('C14: stop guessing of tokens', async () => {
    const limited = await bareApp({ refusedTokens: 2 });
    const statuses = [];
    for (let count = 0; count < 5; count += 1) {
      statuses.push(
        (await limited.inject({ url: '/v1/me', headers: { authorization: 'Bearer short' } })).statusCode,
      );
    }

    expect(statuses.slice(0, 2)).toEqual([401, 401]);
    expect(statuses.at(-1)).toBe(429);
    await limited.close();
  });
});
