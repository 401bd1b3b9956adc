import { describe, expect, test } from 'vitest';
import { runLoad } from '../run-load.ts';
import { runPlan, serveDuring } from './load-host.ts';
import { planOf } from './plan-of.ts';

const GET = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];

describe('a stall', () => {
  test('shows in the time from intended start to end; send to end alone hides it', async (context) => {
    let stalled = false;
    const port = await serveDuring(context, (_request, response) => {
      if (!stalled) {
        stalled = true;
        setTimeout(() => {
          const endMs = performance.now() + 300;
          while (performance.now() < endMs) {
            // Nothing else runs meanwhile.
          }
        }, 150);
      }
      response.end();
    });
    // Everything shares this process, so the generator stalls too; its arrivals are dated all the same.
    const run = await runPlan(planOf({ users: GET, shape: [{ arrivalRate: '200/s', for: '750ms' }] }), port);
    const { requests, failures, latency, serviceTime } = run.task('get');
    expect({ requests, failures, unsent: run.result.unsent }).toEqual({
      requests: 150,
      failures: 0,
      unsent: 0,
    });
    // 60 of 150 arrive within the stall, evenly: a tenth of all wait more than 225 ms, a twentieth more than 262.
    expect(latency?.p90).toBeGreaterThan(215);
    expect(latency?.p95).toBeGreaterThan(250);
    expect(serviceTime?.p90).toBeLessThan(latency?.p90 ?? 0);
  });
});

test('what the generator was late itself is told, and is not the time of the service', async (context) => {
  const port = await serveDuring(context, (_request, response) => setTimeout(() => response.end(), 30));
  const plan = planOf({ users: GET, shape: [{ arrivalRate: '200/s', for: '1s' }] });
  // Held up for two fifths of the time.
  const holdUp = setInterval(() => {
    const untilMs = performance.now() + 40;
    while (performance.now() < untilMs) {
      // Nothing else runs meanwhile.
    }
  }, 60);
  context.onTestFinished(() => clearInterval(holdUp));
  const run = await runPlan({ ...plan, serviceCpus: [0] }, port);
  expect(run.result.generator.schedulingLagP99Ms).toBeGreaterThan(30);
  const { latency, serviceTime, requests } = run.task('get');
  expect(requests).toBe(200);
  // On the clock an arrival had its turn some 15 ms late on average.
  expect((latency?.mean ?? Infinity) - (serviceTime?.mean ?? 0)).toBeLessThan(3);
});

describe.concurrent('an open phase', () => {
  test('keeps its rate, and what it drops it counts as unsent', async (context) => {
    const port = await serveDuring(context, (_request, response) => setTimeout(() => response.end(), 100));
    const plan = planOf({
      users: GET,
      // Two connections and 100 ms each: 20 answers per second, and room for 20 in the queue.
      maxUsers: 2,
      timeout: '300ms',
      shape: [{ arrivalRate: '200/s', for: '500ms' }],
      thresholds: [{ that: 'errors < 30%' }],
    });
    const run = await runPlan(plan, port);
    const { requests } = run.result.total;
    expect(requests + run.result.unsent).toBe(100);
    expect(run.result.unsent).toBeGreaterThan(40);
    expect(run.checks[0]?.message).toMatch(/^errors were \d+(?:\.\d)? %, the limit is 30 %/);
  });

  test('adds users for a slow service up to the limit, and measures the same latency for all', async (context) => {
    let open = 0;
    let most = 0;
    const port = await serveDuring(context, (_request, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 300);
    });
    const run = await runPlan(planOf({ users: GET, shape: [{ arrivalRate: '100/s', for: '600ms' }] }), port);
    expect(run.task('get')).toMatchObject({ requests: 60, failures: 0 });
    expect(most).toBeGreaterThan(25);
    expect(most).toBeLessThanOrEqual(60);
    expect(run.task('get').latency?.min).toBeGreaterThan(290);
  });

  test('counts what has no answer at the end as failed, after its true time', async (context) => {
    const port = await serveDuring(context, (request, response) => request.url === '/' && response.end());
    const plan = planOf({
      users: [
        { name: 'A', tasks: [{ name: 'get', request: 'GET /' }] },
        { name: 'B', tasks: [{ name: 'hang', request: 'GET /hang' }] },
      ],
      timeout: '1s',
      shape: [{ arrivalRate: '50/s', for: '400ms' }],
      thresholds: [{ that: 'p95(hang) < 10s' }, { that: 'p95(get) < 5s' }],
    });
    const run = await runPlan(plan, port);
    const { requests, failures, failureLatency, errors } = run.task('hang');
    expect(requests).toBe(failures);
    expect(requests + run.task('get').requests + run.result.unsent).toBe(20);
    expect(failureLatency?.min).toBeGreaterThan(900);
    expect(errors[0]?.message).toMatch(/^timed out/);
    expect(run.checks.map(({ status }) => status)).toEqual(['failed', 'passed']);
    expect(run.checks[0]).toMatchObject({
      message: 'no request of "hang" succeeded',
      evidence: { exchanges: [{ error: expect.stringContaining('timed out') as string }] },
    });
  });

  test('asks the same of the service for the same seed', async (context) => {
    async function urlsOf(seed: string): Promise<string[]> {
      const urls: string[] = [];
      const port = await serveDuring(context, (request, response) => {
        urls.push(request.url ?? '');
        response.end();
      });
      const plan = planOf({
        users: [
          {
            name: 'U',
            weight: 2,
            tasks: [
              { name: 'a', weight: 3, request: 'GET /a' },
              { name: 'b', request: 'GET /b' },
            ],
          },
          { name: 'V', tasks: [{ name: 'c', request: 'GET /c' }] },
        ],
        shape: [{ arrivalRate: { from: '200/s', to: '400/s' }, for: '200ms' }],
      });
      await runPlan(plan, port, undefined, seed);
      return urls;
    }
    const [first, second, other] = [await urlsOf('one'), await urlsOf('one'), await urlsOf('two')];
    expect(first).toHaveLength(60);
    expect(first.toSorted()).toEqual(second.toSorted());
    expect(first.toSorted()).not.toEqual(other.toSorted());
    expect(first.filter((url) => url === '/a').length).toBeGreaterThan(15);
  });
});

describe.concurrent('a closed phase', () => {
  test('spawns users at its rate, each with a connection of its own', async (context) => {
    const sockets = new Map<unknown, number>();
    const startMs = performance.now();
    const port = await serveDuring(context, (request, response) => {
      if (!sockets.has(request.socket)) {
        sockets.set(request.socket, performance.now() - startMs);
      }
      response.end();
    });
    const users = [{ ...GET[0], waitTime: { constant: '20ms' } }];
    const plan = planOf({ users, shape: [{ users: 6, spawnRate: '20/s', for: '500ms' }] });
    const run = await runPlan(plan, port);
    expect(run.result.total.failures).toBe(0);
    const births = [...sockets.values()];
    expect(births).toHaveLength(6);
    // The first may be late on a busy machine, the last is never early.
    expect(births[5]).toBeGreaterThan(245);
  });

  test('waits between tasks, and leaves the warm-up out of its figures', async (context) => {
    let seen = 0;
    const port = await serveDuring(context, (_request, response) => {
      seen += 1;
      response.end();
    });
    const users = [{ ...GET[0], waitTime: { constantPacing: '50ms' } }];
    const plan = planOf({
      users,
      shape: [
        { warmUp: '300ms', users: 4 },
        { users: 2, for: '500ms' },
      ],
    });
    const run = await runPlan(plan, port);
    const { requests } = run.result.total;
    // Two users, one task every 50 ms at the most.
    expect(requests).toBeGreaterThanOrEqual(1);
    expect(requests).toBeLessThanOrEqual(22);
    expect(seen).toBeGreaterThanOrEqual(requests + 4);
    expect(run.result.phases.map(({ label }) => label)).toEqual([
      'warm-up 0.3s 4 users',
      'closed 0.5s 2 users',
    ]);
  });

  test('runs onStart before the tasks, its captures in them, and onStop at the end', async (context) => {
    const seen: string[] = [];
    let codes = 0;
    const port = await serveDuring(context, (request, response) => {
      seen.push(`${request.method} ${request.url}`);
      codes += request.method === 'POST' ? 1 : 0;
      response.end(JSON.stringify({ code: `c${codes}` }));
    });
    const plan = planOf({
      users: [
        {
          name: 'U',
          waitTime: { constant: '20ms' },
          onStart: [{ name: 'begin', request: 'POST /', capture: { code: '$.code' } }],
          onStop: [{ name: 'leave', request: 'DELETE /${code}' }],
          tasks: [{ name: 'get', request: 'GET /${code}' }],
        },
      ],
      shape: [{ users: 1, for: '800ms' }],
    });
    const run = await runPlan(plan, port);
    expect(seen[0]).toBe('POST /');
    expect(new Set(seen.slice(1, -1))).toEqual(new Set(['GET /c1']));
    expect(seen.at(-1)).toBe('DELETE /c1');
    expect(run.task('begin').requests).toBe(1);
    expect(run.task('leave').requests).toBe(0);
  });

  test('tries a failed onStart again, and fails tasks that want its captures', async (context) => {
    let posts = 0;
    const port = await serveDuring(context, (request, response) => {
      posts += request.method === 'POST' ? 1 : 0;
      response.statusCode = request.method === 'POST' && posts < 3 ? 500 : 200;
      response.end('{"code":"x"}');
    });
    const plan = planOf({
      users: [
        {
          name: 'U',
          onStart: [{ name: 'begin', request: 'POST /', capture: { code: '$.code' } }],
          tasks: [{ name: 'get', request: 'GET /${code}' }],
          waitTime: { constant: '10ms' },
        },
      ],
      shape: [{ users: 1, for: '2s' }],
    });
    const run = await runPlan(plan, port);
    expect(run.task('begin')).toMatchObject({ requests: 3, failures: 2 });
    expect(run.task('get').errors).toEqual([
      { message: 'not sent: no earlier response gave "code"', count: 1 },
    ]);
    expect(run.task('get').requests).toBeGreaterThan(3);
  });

  test('takes a wrong answer for a failure and shows it', async (context) => {
    let count = 0;
    const port = await serveDuring(context, (_request, response) => {
      count += 1;
      response.setHeader('x-number', count);
      response.end(count % 2 === 0 ? '{"ok":true}' : '{"ok":false}');
    });
    const plan = planOf({
      users: [
        {
          name: 'U',
          tasks: [{ name: 'get', request: 'POST /a', json: { q: "it's" }, expect: { json: { ok: true } } }],
          waitTime: { constant: '5ms' },
        },
      ],
      shape: [{ users: 2, for: '200ms' }],
      thresholds: [{ that: 'errors(get) < 1%', points: 3 }, { that: 'checks > 25%' }],
    });
    const run = await runPlan(plan, port);
    const { requests, failures, latency, failureLatency } = run.task('get');
    expect(Math.abs(failures - requests / 2)).toBeLessThanOrEqual(1);
    expect((latency?.count ?? 0) + (failureLatency?.count ?? 0)).toBe(requests);
    const [failed, passed] = run.checks;
    expect(failed).toMatchObject({ id: 'load/errors-get-1', status: 'failed', points: 0, maxPoints: 3 });
    expect(failed?.evidence?.exchanges?.[0]).toMatchObject({
      request: { method: 'POST', url: `http://127.0.0.1:${port}/a`, body: `{"q":"it's"}` },
      response: { status: 200, body: '{"ok":false}' },
      error: expect.stringContaining('$.ok') as string,
      curl: expect.stringContaining(String.raw`--data-binary '{"q":"it'\''s"}'`) as string,
    });
    expect(passed).toMatchObject({ status: 'passed', points: 1, message: '' });
  });

  test('bears a service that closes every connection', async (context) => {
    const port = await serveDuring(context, (_request, response) => {
      response.setHeader('connection', 'close');
      response.end('bye');
    });
    const users = [{ ...GET[0], waitTime: { constant: '5ms' } }];
    const run = await runPlan(planOf({ users, shape: [{ users: 5, for: '300ms' }] }), port);
    expect(run.result.total.requests).toBeGreaterThanOrEqual(5);
    expect(run.result.total.failures).toBe(0);
  });

  test('hands users over to an open phase and back', async (context) => {
    const port = await serveDuring(context, (_request, response) => response.end());
    const users = [{ ...GET[0], waitTime: { constant: '10ms' } }];
    const plan = planOf({
      users,
      shape: [
        { users: 4, for: '150ms' },
        { arrivalRate: '100/s', for: '200ms' },
        { users: 1, for: '150ms' },
      ],
    });
    const run = await runPlan(plan, port);
    expect(run.result.total.failures).toBe(0);
    expect(run.result.phases.map(({ label }) => label.split(' ')[0])).toEqual(['closed', 'open', 'closed']);
    expect(run.result.total.requests).toBeGreaterThan(20);
  });
});

test('a generator without CPU time says so instead of blaming the service', async (context) => {
  const port = await serveDuring(context, (_request, response) => response.end());
  // Something else has the CPU for 90 ms out of every 100. The service is in this process too and as slow.
  const hog = setInterval(() => {
    const endMs = performance.now() + 90;
    while (performance.now() < endMs) {
      // Nothing else runs meanwhile.
    }
  }, 10);
  context.onTestFinished(() => clearInterval(hog));
  const plan = planOf({
    users: GET,
    shape: [{ arrivalRate: '40/s', for: '500ms' }],
    thresholds: [{ that: 'p95(get) < 1ms' }],
  });
  const run = await runPlan(plan, port);
  expect(run.inconclusive).toMatch(/^The load generator (?:ran late|had no CPU time left)/);
  expect(run.result.generator.schedulingLagP99Ms).toBeGreaterThan(50);
}, 30_000);

test('a plan that its time does not suffice for is not begun', async () => {
  const plan = planOf({ users: GET, shape: [{ users: 1, for: '1m' }] });
  const target = { address: '127.0.0.1', port: 1 };
  const reason = await runLoad(
    { v: 1, stage: 'load', target, seed: 's', deadlineMs: 30_000, plan },
    {
      emit: () => Promise.reject(new Error('nothing is to be said')),
      ask: () => Promise.reject(new Error('nothing is to be asked')),
    },
    new AbortController().signal,
  );
  expect(reason).toBe('The load plan may take 1 min 22 s and the stage has only 30 s.');
});
