import { cpus } from 'node:os';
import { describe, expect, test } from 'vitest';
import { ServiceWatch } from '../service-watch.ts';
import { later, runPlan, serve, serveDuring } from './load-host.ts';
import type { Service } from './load-host.ts';
import { planOf } from './plan-of.ts';

const GET = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];

describe.concurrent('a service that dies', () => {
  test('is started again, and the checks say what became of it', async ({ onTestFinished }) => {
    let served = 0;
    let service: Service | undefined;
    service = await serve((_request, response) => {
      served += 1;
      if (served === 40) {
        void service?.close();
        return;
      }
      response.end();
    });
    onTestFinished(() => service?.close());
    const { port } = service;
    const asked: string[] = [];
    const plan = planOf({
      users: GET,
      shape: [{ arrivalRate: '200/s', for: '800ms' }],
      thresholds: [{ that: 'errors < 0.1%' }],
    });
    const run = await runPlan(plan, port, async (action) => {
      asked.push(action);
      if (action === 'start' && service && !service.server.listening) {
        await later(100);
        await new Promise<void>((resolve) => service?.server.listen(port, '127.0.0.1', resolve));
        return { id: 'c', ok: true, note: 'It ended by itself with code 1.' };
      }
      return { id: 'c', ok: true };
    });
    expect(run.result.total.requests).toBe(160);
    expect(run.result.total.failures).toBeGreaterThan(5);
    expect(run.result.total.failures).toBeLessThan(160);
    expect(asked.filter((action) => action === 'start').length).toBeLessThan(5);
    expect(run.checks[0]?.message).toMatch(
      /^errors were .*%\. The service went down 0\.\d s into the test\. It ended by itself with code 1\.$/,
    );
  });

  test('and stays away is not hammered', async () => {
    const service = await serve(() => undefined);
    await service.close();
    let asked = 0;
    const users = [{ ...GET[0] }];
    const plan = planOf({
      users,
      shape: [{ users: 5, for: '450ms' }],
      thresholds: [{ that: 'p95(get) < 1s' }],
    });
    const run = await runPlan(plan, service.port, (action) => {
      asked += action === 'start' ? 1 : 0;
      return Promise.resolve({ id: 'c', ok: false, error: 'it was started 3 times already' });
    });
    expect(asked).toBe(1);
    expect(run.result.total.requests).toBeLessThanOrEqual(30);
    expect(run.task('get').errors).toEqual([
      { message: 'connection refused', count: run.result.total.requests },
    ]);
    expect(run.checks[0]?.message).toBe(
      'no request of "get" succeeded. The service could not be started again: it was started 3 times already',
    );
  });
});

describe.concurrent('what the service uses', () => {
  test('is read without waiting for missing replies', async () => {
    let asked = 0;
    let cpuMs = 0;
    const watch = new ServiceWatch(async () => {
      asked += 1;
      await later(asked === 4 ? 10_000 : 0);
      cpuMs = asked === 3 ? 5 : cpuMs + 20;
      return { id: 'c', ok: true, ...(asked === 2 ? {} : { stats: { cpuMs, memoryBytes: 5000, pids: 1 } }) };
    }, performance.now());
    expect(watch.series()).toEqual([]);
    for (let turn = 0; turn < 5; turn += 1) {
      watch.readStats();
      await later(40);
    }
    expect(asked).toBe(4);
    // The second reply had no figures, and by the third the service had begun anew.
    expect(watch.series().map(({ name, points }) => [name, points.length])).toEqual([
      ['candidate.memory', 2],
    ]);
  });

  test('is asked for once per second, beside the progress', async (context) => {
    const port = await serveDuring(context, (_request, response) => response.end());
    let cpuMs = 0;
    const users = [{ ...GET[0], waitTime: { constant: '50ms' } }];
    const run = await runPlan(planOf({ users, shape: [{ users: 1, for: '2050ms' }] }), port, (action) => {
      cpuMs += 250;
      const stats = { cpuMs, memoryBytes: 5000, pids: 1 };
      return Promise.resolve({ id: 'c', ok: true, ...(action === 'stats' ? { stats } : {}) });
    });
    const labels = run.events.flatMap((event) => (event.event === 'progress' ? [event.label] : []));
    expect(labels).toHaveLength(2);
    expect(labels[0]).toMatch(/^load 1\/2 s, \d+ req\/s, 0 % errors$/);
    expect(run.result.series.map(({ name }) => name).join(' ')).toBe(
      'users rps failures p50 p95 p99 candidate.cpu candidate.memory',
    );
    const cpu = run.result.series.find(({ name }) => name === 'candidate.cpu');
    expect(cpu?.points[0]?.[1]).toBeGreaterThan(0.1);
    expect(cpu?.points[0]?.[1]).toBeLessThan(0.4);
  });
});

describe('what others take of the CPUs of the service', () => {
  /** Keeps a CPU busy between two readings, in which the service is said to have done nothing. */
  async function interferenceWith(turnCpuMs: number | undefined) {
    const watch = new ServiceWatch(
      (action) =>
        Promise.resolve({
          id: 'c',
          ok: true,
          ...(action === 'stats' && { stats: { cpuMs: 0, memoryBytes: 1, pids: 1 } }),
          ...(action === 'reference-turn' &&
            turnCpuMs !== undefined && { turn: { requestsPerSecond: 9000, cpuMs: turnCpuMs } }),
        }),
      performance.now(),
      cpus().map((_cpu, index) => index),
    );
    watch.readStats();
    await later(1);
    const rate = await watch.takeTurn();
    const untilMs = performance.now() + 200;
    while (performance.now() < untilMs) {
      // Busy on purpose.
    }
    watch.readStats();
    await later(1);
    return { rate, share: watch.interference() };
  }

  test('does not count what the reference takes in its turns', async () => {
    const without = await interferenceWith(undefined);
    expect(without.rate).toBeUndefined();
    expect(without.share).toBeGreaterThan(0);
    expect(await interferenceWith(1e6)).toEqual({ rate: 9000, share: 0 });
  });
});
