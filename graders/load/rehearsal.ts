import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { LoadPlanSchema, resolveLoadPlan } from '../../src/domain/load-plan.ts';
import { DEFAULT_HEADERS } from '../shared/default-headers.ts';
import { compilePlan } from './compile-plan.ts';
import { GeneratorHealth } from './health.ts';
import { LoadEngine } from './load-engine.ts';
import { Recorder } from './recorder.ts';
import { Sampler } from './sampler.ts';

/** What a request takes at first, compilers and new memory, takes place here: some thousand of them are enough. */
const PLAN = resolveLoadPlan(
  'rehearsal',
  LoadPlanSchema.parse({
    timeout: '1s',
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
      { arrivalRate: '8000/s', for: '900ms' },
      { users: 20, for: '100ms' },
    ],
    thresholds: [{ that: 'errors < 1%' }],
  }),
);
const MAX_USERS = 300;
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"ok":true}';

/** Runs a load test of about a second against a server of its own, so that none of it is left for the real one. */
export async function rehearse(signal: AbortSignal): Promise<void> {
  const sockets = new Set<Socket>();
  const health = new GeneratorHealth(performance.now());
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', () => socket.write(ANSWER));
    socket.on('error', () => socket.destroy());
  });
  try {
    const { port } = await listen(server);
    const target = { address: '127.0.0.1', port };
    const plan = compilePlan(PLAN, target, Object.entries(DEFAULT_HEADERS));
    const startMs = performance.now();
    const recorder = new Recorder(plan.rowNames.length, startMs);
    const engine = new LoadEngine({
      ownsCpu: true,
      plan,
      shape: PLAN.shape,
      target,
      seed: 'rehearsal',
      maxUsers: MAX_USERS,
      patienceMs: PLAN.timeoutMs,
      recorder,
      sampler: new Sampler(),
      health,
      onSecond: (nowMs, users) => recorder.closeSecond(nowMs, users),
      onBrokenConnection: () => {},
    });
    await engine.run(signal);
  } finally {
    health.finish(performance.now(), 0);
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
