import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Address } from '../api/http-client.ts';
import { asItIs } from './behaviour.ts';
import type { Behaviour } from './behaviour.ts';
import type { Headers, ProxyAnswer, ProxyRequest } from './traffic.ts';

const MAX_HEADER_BYTES = 128 * 1024;
/** A message that is longer breaks its connection: no suite waits for the end of an endless one. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export interface Proxy {
  address: Address;
  /** What stands between client and service from now on. */
  behave(behaviour: Behaviour): void;
  close(): Promise<void>;
}

/**
 * Opens a proxy on a free loopback port in front of the service. It adds, removes and rewrites nothing: `Host` and
 * absolute addresses are those of the service. A connection that breaks on one side breaks on the other.
 */
export async function openProxy(service: Address): Promise<Proxy> {
  let behaviour = asItIs;
  const server = http.createServer({ maxHeaderSize: MAX_HEADER_BYTES }, (incoming, outgoing) => {
    incoming.on('error', () => undefined);
    outgoing.on('error', () => undefined);
    void serve(incoming, service, (request, forward) => behaviour(request, forward)).then(
      (answer) => send(answer, outgoing),
      () => incoming.socket.destroy(),
    );
  });
  // The time limits of a server for the open internet; this one has one client, which keeps its own.
  Object.assign(server, { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0 });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: { address: '127.0.0.1', port: (server.address() as AddressInfo).port },
    behave: (next) => {
      behaviour = next;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function serve(
  incoming: http.IncomingMessage,
  service: Address,
  behaviour: Behaviour,
): Promise<ProxyAnswer> {
  const request = {
    method: incoming.method ?? 'GET',
    url: incoming.url ?? '/',
    headers: pairsOf(incoming.rawHeaders),
    body: await readAll(incoming),
  };
  return await behaviour(request, (changed) => forward(changed, service));
}

/** Sends the request to the service over a connection of its own. */
async function forward(request: ProxyRequest, service: Address): Promise<ProxyAnswer> {
  return await new Promise((resolve, reject) => {
    const outgoing = http.request({
      host: service.address,
      port: service.port,
      method: request.method,
      path: request.url,
      // A flat list keeps order, case and repetition. The types know only the record form.
      headers: request.headers.flat() as unknown as http.OutgoingHttpHeaders,
      maxHeaderSize: MAX_HEADER_BYTES,
      setHost: false,
      agent: false,
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      // From here on a refusal to read the rest of the request is no failure: the answer is on its way.
      readAll(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: pairsOf(response.rawHeaders), body }),
        reject,
      );
    });
    outgoing.on('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the service switched protocols'));
    });
    outgoing.end(request.body);
  });
}

function send(answer: ProxyAnswer, outgoing: http.ServerResponse): void {
  outgoing.sendDate = false;
  try {
    outgoing.writeHead(answer.status, answer.headers.flat());
    outgoing.end(answer.body);
  } catch {
    outgoing.destroy();
  }
}

async function readAll(stream: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_BODY_BYTES) {
      throw new Error(`a body is longer than ${MAX_BODY_BYTES} bytes`);
    }
  }
  return Buffer.concat(chunks);
}

function pairsOf(raw: readonly string[]): Headers {
  return raw.flatMap((name, index): Headers => (index % 2 === 0 ? [[name, raw[index + 1] ?? '']] : []));
}
