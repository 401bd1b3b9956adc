import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { makeServiceClient } from '../../../src/cli/service-client.ts';

const servers: ReturnType<typeof createServer>[] = [];
afterEach(() => {
  servers.splice(0).forEach((server) => {
    server.closeAllConnections();
    server.close();
  });
});

type Turn = (response: ServerResponse, request: IncomingMessage) => void;

/** A service that answers each request with the next of these. */
async function serve(turns: Turn[], port = 0) {
  const seen: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      seen.push(request);
      (turns.shift() ?? ((answer) => answer.writeHead(500).end()))(response, request);
    });
  });
  servers.push(server);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return { seen, port: (server.address() as AddressInfo).port };
}

function busy(status: number): Turn {
  return (response) => response.writeHead(status, { 'retry-after': '0.05' }).end('{}');
}

function events(text: string): Turn {
  return (response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).end(text);
}

function breakOff(response: ServerResponse): void {
  response.socket?.destroy();
}

const never = new AbortController().signal;
const ORDER = { path: '/v1/submissions', field: 'archive', fileName: 'x.tar', content: Buffer.from('x') };

function clientOf(port: number) {
  return makeServiceClient({ url: `http://127.0.0.1:${port}`, token: 't' });
}

it('sends an upload again under one key: too many, too busy, a connection that breaks', async () => {
  const { port, seen } = await serve([
    busy(429),
    busy(503),
    breakOff,
    (response) => response.writeHead(202).end('{"id":"s"}'),
  ]);

  expect(await clientOf(port).upload(ORDER, never)).toEqual({ id: 's' });
  const keys = seen.map(({ headers }) => headers['idempotency-key']);
  expect(keys).toHaveLength(4);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[\w-]{36}$/);
});

it('does not repeat an upload that was refused', async () => {
  const { port, seen } = await serve([(response) => response.writeHead(422).end('{}')]);

  await expect(clientOf(port).upload(ORDER, never)).rejects.toMatchObject({ code: 'NOT_ASSAY' });
  expect(seen).toHaveLength(1);
});

it('follows a run over a service that restarts, from where it was', async () => {
  const { port, seen } = await serve([
    events('id: r:1\nevent: state\ndata: {"state":"running"}\n\n'),
    breakOff,
    busy(503),
    busy(429),
    events('id: r:2\nevent: end\ndata: {"state":"completed"}\n\n'),
  ]);
  const told: string[] = [];
  await clientOf(port).follow('/events', ({ event }) => told.push(event), never);

  expect(told).toEqual(['state', 'end']);
  expect(seen.map(({ headers }) => headers['last-event-id'])).toEqual([
    undefined,
    'r:1',
    'r:1',
    'r:1',
    'r:1',
  ]);
});

it('waits for a service that is not there yet, and ends when it is told to', async () => {
  const { port } = await serve([]);
  servers.splice(0).forEach((server) => server.close());
  const calling = clientOf(port).call('GET', '/v1/me');
  await serve([(response) => response.writeHead(200).end('{"role":"admin"}')], port);
  expect(await calling).toEqual({ role: 'admin' });

  servers.splice(0).forEach((server) => server.close());
  const stopped = AbortSignal.abort(new Error('told to'));
  await expect(clientOf(port).follow('/events', () => undefined, stopped)).rejects.toThrow('told to');
});
