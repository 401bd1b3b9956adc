import { expect, test } from 'vitest';
import { runPlan, serveDuring } from './load-host.ts';
import { planOf } from './plan-of.ts';

/** A user whose only task is a sequence of three requests; the second needs what the first one got. */
const BUYER = {
  name: 'Buyer',
  tasks: [
    {
      name: 'buy',
      sequence: [
        { name: 'hold', request: 'POST /holds', capture: { id: '$.id' } },
        { name: 'pay', request: 'POST /holds/${id}/pay' },
        { name: 'thank', request: 'GET /thanks' },
      ],
    },
  ],
};

test('a user makes the requests of a sequence in their order, and waits between them', async (context) => {
  const seen: { url: string; atMs: number }[] = [];
  const port = await serveDuring(context, (request, response) => {
    seen.push({ url: request.url ?? '', atMs: performance.now() });
    response.end(`{"id":${seen.length}}`);
  });
  const users = [{ ...BUYER, waitTime: { constant: '30ms' } }];
  const run = await runPlan(planOf({ users, shape: [{ users: 1, for: '500ms' }] }), port);
  expect(run.result.total.failures).toBe(0);
  expect(seen.length).toBeGreaterThan(3);
  for (const [index, { url, atMs }] of seen.entries()) {
    const first = index - (index % 3);
    expect(url).toBe(['/holds', `/holds/${first + 1}/pay`, '/thanks'][index % 3]);
    // A wait may take longer, never less (but for the rounding of the clock).
    expect(atMs - (seen[index - 1]?.atMs ?? -Infinity)).toBeGreaterThan(25);
  }
});

test('a wrong answer ends a sequence; what is left of it is not sent', async (context) => {
  const port = await serveDuring(context, (request, response) => {
    response.statusCode = request.url?.endsWith('/pay') ? 402 : 200;
    response.end('{"id":1}');
  });
  const users = [{ ...BUYER, waitTime: { constant: '10ms' } }];
  const run = await runPlan(planOf({ users, shape: [{ users: 2, for: '300ms' }] }), port);
  expect(run.task('hold').requests).toBeGreaterThan(2);
  expect(run.task('pay').failures).toBe(run.task('pay').requests);
  expect(run.task('thank').requests).toBe(0);
});

test('an arrival starts a whole sequence, whose steps follow each other at once', async (context) => {
  const port = await serveDuring(context, (_request, response) => response.end('{"id":1}'));
  const users = [{ ...BUYER, waitTime: { constant: '10s' } }];
  const plan = planOf({ users, shape: [{ arrivalRate: '50/s', for: '1s' }] });
  const run = await runPlan(plan, port);
  expect(run.task('hold').requests).toBe(50);
  // The last ones may be in their first step when the phase ends.
  expect(run.task('thank').requests).toBeGreaterThan(10);
  expect(run.task('thank').requests).toBeLessThanOrEqual(run.task('pay').requests);
  expect(run.result.total.failures).toBe(0);
});

test('the end of a phase breaks a sequence off: users that wait in it are free for arrivals', async (context) => {
  const seen: string[] = [];
  const port = await serveDuring(context, (request, response) => {
    seen.push(request.url ?? '');
    response.end('{"id":1}');
  });
  const users = [{ ...BUYER, waitTime: { constant: '20s' } }];
  const shape = [
    { users: 1, for: '100ms' },
    { arrivalRate: '10/s', for: '100ms' },
  ];
  await runPlan(planOf({ users, shape }), port);
  expect(seen.slice(0, 2)).toEqual(['/holds', '/holds']);
});

test('a ramp of users begins with as many as it says', async (context) => {
  const port = await serveDuring(context, (_request, response) => response.end());
  const users = [{ name: 'U', waitTime: { constant: '50ms' }, tasks: [{ name: 'get', request: 'GET /' }] }];
  const shape = [{ ramp: { from: 8, to: 2, for: '2s' } }];
  const run = await runPlan(planOf({ users, shape }), port);
  const counts = run.result.series.find(({ name }) => name === 'users')?.points.map(([, count]) => count);
  expect(counts?.[0]).toBeGreaterThan(2);
  expect(counts?.[0]).toBeLessThanOrEqual(7);
  expect(run.result.phases[0]?.label).toBe('ramp: closed 2s 8 to 2 users');
});

test('a threshold of a task that is left out is skipped', async (context) => {
  const port = await serveDuring(context, (_request, response) => response.end());
  const plan = planOf({
    users: [
      {
        name: 'U',
        tasks: [
          { name: 'read', request: 'GET /', tags: ['r'] },
          { name: 'write', request: 'POST /', tags: ['w'] },
        ],
        waitTime: { constant: '10ms' },
      },
    ],
    thresholds: [{ that: 'p95(write) < 1s' }, { that: 'errors < 1%' }],
  });
  const [user] = plan.users;
  const reading = { ...plan, users: user ? [{ ...user, tasks: user.tasks.slice(0, 1) }] : [] };
  const run = await runPlan({ ...reading, shape: plan.shape }, port);
  expect(run.checks.map(({ status, name }) => [name, status])).toEqual([
    ['errors < 1%', 'passed'],
    ['p95(write) < 1s', 'skipped'],
  ]);
  expect(run.checks[1]?.message).toContain('left out by tags');
});
