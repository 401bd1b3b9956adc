import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { PROTOCOL_VERSION } from '../../src/domain/grader-protocol.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../src/domain/load-plan.ts';
import { runLoad } from './run-load.ts';
import type { LoadHost } from './run-load.ts';

/** What a request takes at first, compilers and new memory, takes place here: some thousand of them are enough. */
const PLAN = resolveLoadPlan(
  'rehearsal',
  LoadPlanSchema.parse({
    timeout: '1s',
    maxUsers: 300,
    users: [
      {
        name: 'User',
        tasks: [
          { name: 'read', weight: 9, request: 'GET /', expect: { status: 200 } },
          { name: 'look', request: 'GET /look', expect: { status: 200, json: { ok: true } } },
        ],
      },
    ],
    shape: [
      { arrivalRate: '8000/s', for: '400ms' },
      { users: 20, for: '100ms' },
    ],
    thresholds: [{ that: 'errors < 1%' }],
  }),
);
/** What a compiler takes for granted after one test alone does not hold for the next. */
const TIMES = 2;
const DEADLINE_MS = 600_000;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}';
const NOBODY: LoadHost = {
  emit: () => Promise.resolve(),
  ask: () => Promise.resolve({ id: '', ok: false, error: 'a rehearsal has no host' }),
};

/** Runs load tests of about a second against a server of its own, so that none of it is left for the real one. */
export async function rehearse(signal: AbortSignal): Promise<void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => socket.write(ANSWER));
    socket.on('error', () => socket.destroy());
  });
  try {
    const { port } = await listen(server);
    const target = { address: '127.0.0.1', port };
    // Its own CPU or not: it is to go through what a test on one goes through.
    const plan = { ...PLAN, serviceCpus: [0] };
    for (let time = 0; time < TIMES; time += 1) {
      const seed = `rehearsal ${time}`;
      const input = {
        v: PROTOCOL_VERSION,
        stage: 'load',
        target,
        seed,
        deadlineMs: DEADLINE_MS,
        plan,
      } as const;
      await runLoad(input, NOBODY, signal);
    }
  } finally {
    server.close();
    // The service can reach it as well, and is to keep nothing of it.
    for (const socket of sockets) {
      socket.destroy();
    }
  }
}

async function listen(server: Server): Promise<AddressInfo> {
  return await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo));
  });
}
