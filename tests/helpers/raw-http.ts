import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { App } from '../../src/http/app-types.ts';

/** Listens on a free port of this machine and answers the port. */
export async function listenOn(app: App): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' });
  return (app.server.address() as AddressInfo).port;
}

/** Writes bytes to the port and answers everything that comes until the connection ends. */
export async function rawExchange(port: number, bytes: string | readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  for (const piece of typeof bytes === 'string' ? [bytes] : bytes) {
    socket.write(piece);
  }
  return await new Promise((resolve) => {
    socket.once('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
  });
}

/** The statuses in a raw answer, in order. */
export function statusesIn(raw: string): number[] {
  return [...raw.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
}
