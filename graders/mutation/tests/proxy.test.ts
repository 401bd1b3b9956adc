import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange } from '../../api/http-client.ts';
import type { HttpRequest } from '../../api/http-types.ts';
import { openProxy } from '../proxy.ts';
import type { Proxy } from '../proxy.ts';
import { makeRecorder } from '../recorder.ts';

const LIMITS = { connectTimeoutMs: 5000, timeoutMs: 5000, maxBodyBytes: 1024 * 1024, decompress: false };
const never = new AbortController().signal;

/** Answers with what it got; "/breaks" breaks the connection. */
const service = http.createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    if (request.url === '/breaks') {
      request.socket.destroy();
      return;
    }
    response.writeHead(201, [
      ['Location', `http://${request.headers.host}/new`],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ] as unknown as http.OutgoingHttpHeaders);
    response.end(JSON.stringify({ raw: request.rawHeaders, body: Buffer.concat(chunks).toString('base64') }));
  });
});
let proxy: Proxy;
let port: number;

beforeAll(async () => {
  service.listen(0, '127.0.0.1');
  await once(service, 'listening');
  port = (service.address() as AddressInfo).port;
  proxy = await openProxy({ address: '127.0.0.1', port });
});
afterAll(async () => {
  await proxy.close();
  service.close();
});

async function ask(request: Partial<HttpRequest>) {
  const full = {
    method: 'POST',
    path: '/x',
    headers: [['host', 'localhost:8080']],
    body: undefined,
    ...request,
  };
  return await exchange(full as HttpRequest, { kind: 'new', target: proxy.address }, LIMITS, never);
}

describe('openProxy', () => {
  it('passes host, headers in their order, and bytes that are no text', async () => {
    const body = Buffer.from([0xff, 0x00, 0x7b]);
    const headers: [string, string][] = [
      ['host', 'localhost:8080'],
      ['X-Two', '1'],
      ['X-Two', '2'],
      ['content-length', '3'],
    ];
    const { response } = await ask({ headers, body });
    const got = JSON.parse(response?.body.toString() ?? '') as { raw: string[]; body: string };

    expect(got.raw.slice(0, 8)).toEqual(headers.flat());
    expect(got.body).toBe(body.toString('base64'));
    expect(response?.status).toBe(201);
    expect(response?.headers.slice(0, 3)).toEqual([
      ['Location', 'http://localhost:8080/new'],
      ['Set-Cookie', 'a=1'],
      ['Set-Cookie', 'b=2'],
    ]);
  });

  it('gives HEAD no body and breaks what the service breaks', async () => {
    const head = await ask({ method: 'HEAD' });
    expect([head.response?.status, head.response?.body.length]).toEqual([201, 0]);
    expect((await ask({ path: '/breaks' })).failure?.kind).toBe('CONN_CLOSED');
  });

  it('behaves as it is told, and records', async () => {
    const recorder = makeRecorder();
    proxy.behave(recorder.behaviour);
    await Promise.all([
      ask({ path: '/a' }),
      ask({ path: '/a' }),
      ask({ path: '/a' }),
      ask({ path: '/b?c=1' }),
    ]);
    const seen = recorder.exchanges();
    expect(seen.some(({ url, overlapped }) => url === '/a' && overlapped)).toBe(true);
    expect(seen.filter(({ url }) => url === '/b?c=1')).toMatchObject([{ method: 'POST', status: 201 }]);

    proxy.behave(() => Promise.resolve({ status: 418, headers: [], body: Buffer.from('short') }));
    expect((await ask({})).response?.status).toBe(418);
  });
});
