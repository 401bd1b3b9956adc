import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';

/** A server of this host, on every address of it, that counts who connects. */
export interface Canary {
  port: number;
  /** Connections so far, those of `seesConnection` left out. */
  connections(): number;
  /** Connects to itself: a canary that does not notice that would not notice a candidate. */
  seesConnection(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a canary on a free port. Rejects when the host lets no server listen. */
export async function openCanary(): Promise<Canary> {
  let count = 0;
  let own = 0;
  const server = createServer((socket) => {
    count += 1;
    // A scanner's reset is no error of ours.
    socket.on('error', () => undefined);
    socket.end();
  });
  const port = await listenEverywhere(server);
  return {
    port,
    connections: () => count - own,
    async seesConnection() {
      const before = count;
      const socket = connect(port, '127.0.0.1');
      try {
        socket.resume();
        await once(socket, 'end', { signal: AbortSignal.timeout(1000) });
      } catch {
        // Not seen: the count tells.
      } finally {
        socket.destroy();
      }
      own += count - before;
      return count > before;
    },
    async close() {
      server.close();
      await once(server, 'close');
    },
  };
}

async function listenEverywhere(server: Server): Promise<number> {
  try {
    server.listen(0, '::');
    await once(server, 'listening');
  } catch {
    // No IPv6 on this host.
    server.listen(0, '0.0.0.0');
    await once(server, 'listening');
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
