import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { HttpConnection } from '../http-connection.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const servers: { server: Server; sockets: Set<Socket> }[] = [];

afterEach(() => {
  for (const { server, sockets } of servers.splice(0)) {
    server.close();
    for (const socket of sockets) {
      socket.destroy();
    }
  }
});

interface Service {
  port: number;
  /** Requests seen on each connection, in order of the connections. */
  connections: number[];
  sockets: Set<Socket>;
}

/** A server that hands every request (assumed to come in one piece) to `answer`. */
async function serve(
  answer: (socket: Socket, requestOfConnection: number, connection: number) => void,
): Promise<Service> {
  const connections: number[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = connections.push(0) - 1;
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => {
      connections[connection] = (connections[connection] ?? 0) + 1;
      answer(socket, connections[connection] ?? 0, connection);
    });
  });
  servers.push({ server, sockets });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, connections, sockets };
}

/** A connection whose exchanges are promises: "200 body", or the failure. */
class Client {
  readonly connection: HttpConnection;
  endings = 0;
  #resolve: (ending: string) => void = () => undefined;

  constructor(port: number) {
    this.connection = new HttpConnection(
      { address: '127.0.0.1', port },
      {
        onResponse: (parser) => this.#end(`${parser.status} ${parser.bodyText()}`),
        onFailure: (message, cause) => this.#end(`${cause}: ${message}`),
      },
    );
  }

  ask(method = 'GET'): Promise<string> {
    return new Promise((resolve) => {
      this.#resolve = resolve;
      const rules = { isHead: method === 'HEAD', idempotent: method !== 'POST', keepBytes: 1000 };
      this.connection.send(`${method} / HTTP/1.1\r\nhost: x\r\n\r\n`, rules);
    });
  }

  #end(ending: string): void {
    this.endings += 1;
    this.#resolve(ending);
  }
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

describe('a connection', () => {
  test('is kept alive for the next exchange', async () => {
    const service = await serve((socket) => socket.write(OK));
    const client = new Client(service.port);
    expect([await client.ask(), await client.ask(), await client.ask('HEAD')]).toEqual([
      '200 ok',
      '200 ok',
      '200 ',
    ]);
    // The answer to HEAD had a body that must not be there, so that connection is not trusted again.
    expect(await client.ask()).toBe('200 ok');
    expect(service.connections).toEqual([3, 1]);
    client.connection.close();
  });

  test('is opened anew after Connection: close and after a close between exchanges', async () => {
    const closing = await serve((socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbye'));
    const client = new Client(closing.port);
    expect([await client.ask(), await client.ask()]).toEqual(['200 bye', '200 bye']);
    expect(closing.connections).toEqual([1, 1]);

    const idle = await serve((socket) => {
      socket.write(OK);
      setTimeout(() => socket.end(), 5);
    });
    const other = new Client(idle.port);
    expect(await other.ask('POST')).toBe('200 ok');
    await later(30);
    expect(await other.ask('POST')).toBe('200 ok');
    expect(idle.connections).toEqual([1, 1]);
    other.connection.close();
  });

  test('sends once more when a kept-alive connection closes under a repeatable request', async () => {
    const service = await serve((socket, request) => (request === 1 ? socket.write(OK) : socket.destroy()));
    const client = new Client(service.port);
    await client.ask();
    expect(await client.ask()).toBe('200 ok');
    expect(service.connections).toEqual([2, 1]);
    expect(await client.ask('POST')).toMatch(/^connection: connection (reset|closed)/);
    expect(client.endings).toBe(3);
  });

  test('fails a first request that is closed without an answer', async () => {
    const service = await serve((socket) => socket.end());
    const client = new Client(service.port);
    expect(await client.ask()).toBe('connection: connection closed without a response');
    expect(service.connections).toEqual([1]);
  });

  test('fails when the service resets', async () => {
    const service = await serve((socket) => socket.resetAndDestroy());
    expect(await new Client(service.port).ask()).toBe('connection: connection reset');
  });

  test('fails when nobody listens, and works once somebody does', async () => {
    const service = await serve((socket) => socket.write(OK));
    const taken = servers.splice(0)[0];
    await new Promise<void>((resolve) => {
      taken?.server.close(() => resolve());
    });
    const client = new Client(service.port);
    expect(await client.ask()).toBe('connection: connection refused');
    await new Promise<void>((resolve) => taken?.server.listen(service.port, '127.0.0.1', resolve));
    servers.push(...(taken ? [taken] : []));
    expect(await client.ask()).toBe('200 ok');
    client.connection.close();
  });

  test('names what is malformed or cut off', async () => {
    const texts = ['nonsense\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'];
    const service = await serve((socket, _request, connection) => socket.end(texts[connection] ?? ''));
    const client = new Client(service.port);
    expect(await client.ask()).toContain('malformed: malformed response: not an HTTP/1.1 status line');
    expect(await client.ask()).toContain('closed before the whole response');
  });

  test('drops a connection that speaks unasked', async () => {
    const service = await serve((socket) => {
      socket.write(OK);
      setTimeout(() => socket.write(OK), 5);
    });
    const client = new Client(service.port);
    expect(await client.ask()).toBe('200 ok');
    await later(30);
    expect(await client.ask()).toBe('200 ok');
    expect(service.connections).toEqual([1, 1]);
    expect(client.endings).toBe(2);
    client.connection.close();
  });

  test('can be ended from this side, and used again', async () => {
    const service = await serve((socket, _request, connection) => connection === 1 && socket.write(OK));
    const client = new Client(service.port);
    const hanging = client.ask();
    await later(10);
    client.connection.abort('timed out');
    expect(await hanging).toBe('given-up: timed out');
    expect(await client.ask()).toBe('200 ok');
    client.connection.abort('nothing under way');
    expect(client.endings).toBe(2);
  });
});
