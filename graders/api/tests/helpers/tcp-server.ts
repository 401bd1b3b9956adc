import http from 'node:http';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Address } from '../../http-client.ts';

/** A server on a free loopback port; `close` also ends its connections. */
export interface TestServer {
  target: Address;
  close(): Promise<void>;
}

/** Serves raw bytes: `onRequest` is called when a whole request head has come, `onConnect` at once. */
export async function serveRaw(handlers: {
  onConnect?: (socket: net.Socket) => void;
  onRequest?: (socket: net.Socket, head: string) => void;
}): Promise<TestServer> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    handlers.onConnect?.(socket);
    let head = '';
    socket.on('data', (chunk) => {
      const before = head.includes('\r\n\r\n');
      head += chunk.toString('latin1');
      if (!before && head.includes('\r\n\r\n')) {
        handlers.onRequest?.(socket, head);
      }
    });
  });
  return await listen(server, () => sockets.forEach((socket) => socket.destroy()));
}

/** Serves HTTP with node's own server. */
export async function serveHttp(
  handler: (request: http.IncomingMessage, response: http.ServerResponse, body: string) => void,
): Promise<TestServer> {
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString();
    });
    request.on('end', () => handler(request, response, body));
  });
  return await listen(server, () => server.closeAllConnections());
}

async function listen(server: net.Server, disconnect: () => void): Promise<TestServer> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    target: { address: '127.0.0.1', port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        disconnect();
      }),
  };
}
