import { Socket } from 'node:net';
import type { HeaderSet } from '../shared/default-headers.ts';
import { connect, exchange } from './http-client.ts';
import type { Address } from './http-client.ts';
import { isConnectionFailure } from './http-types.ts';

/** A service that is busy for longer is left alone: slow is not dead. */
const LIMITS = { connectTimeoutMs: 1000, timeoutMs: 1000, maxBodyBytes: 64 * 1024, decompress: false };

/**
 * Whether the service is alive: false only when it refuses, resets or closes the connection. With a path it is asked
 * a whole request, so that a process on its way out shows; else only a connection is opened.
 */
export async function answers(
  target: Address,
  path: string | undefined,
  defaults: HeaderSet,
): Promise<boolean> {
  const { signal } = new AbortController();
  if (path === undefined) {
    const socket = await connect(target, LIMITS, signal);
    const open = socket instanceof Socket;
    if (open) {
      socket.destroy();
    }
    return open || !isConnectionFailure(socket);
  }
  const headers: [string, string][] = [
    ['host', `localhost:${target.port}`],
    ...defaults.map(([name, value]): [string, string] => [name, value]),
  ];
  const request = { method: 'GET', path, headers, body: undefined };
  return !isConnectionFailure(await exchange(request, { kind: 'new', target }, LIMITS, signal));
}
