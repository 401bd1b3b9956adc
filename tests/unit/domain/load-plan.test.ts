import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import {
  LoadPlanSchema,
  ResolvedLoadPlanSchema,
  loadCheckIds,
  loadPlanBudgetMs,
  resolveLoadPlan,
  withProfile,
} from '../../../src/domain/load-plan.ts';
import { phaseLabel } from '../../../src/domain/load-shape.ts';
import { parseThreshold } from '../../../src/domain/load-threshold.ts';

const PLAN = `
users:
  - name: Reader
    weight: 4
    waitTime: { between: [100ms, 500ms] }
    onStart: [ { request: POST /links, json: { url: "https://e.com/\${random.slug}" }, capture: { code: $.code } } ]
    tasks:
      - { name: follow, weight: 9, request: "GET /\${code}", expect: { status: 302 } }
      - { name: create, request: POST /links, json: { url: x }, expect: { status: [201, 2xx, 300-302] } }
shape:
  - { warmUp: 5s, users: 10 }
  - { users: 50, spawnRate: 10/s, for: 20s }
  - { arrivalRate: 200/s, for: 20s }
  - { arrivalRate: { from: 50/s, to: 200/s }, for: 10s }
thresholds:
  - { that: "p95(follow) < 100ms", points: 10, visibility: visible }
  - { that: "errors < 1%", points: 5, id: load/errors }
profiles: { demo: { shape: [ { users: 5, for: 3s } ] } }
`;

function issuesOf(text: string): { path: string; message: string }[] {
  const result = LoadPlanSchema.safeParse(parse(text));
  return (result.error?.issues ?? []).map((issue) => ({
    path: issue.path.join('.'),
    message:
      issue.code === 'invalid_union'
        ? issue.errors
            .flat()
            .map(({ message }) => message)
            .join('\n')
        : issue.message,
  }));
}

function planOf(text: string) {
  return resolveLoadPlan('hidden/load.yaml', LoadPlanSchema.parse(parse(text)));
}

describe('a load plan', () => {
  test('is read into plain data that survives JSON', () => {
    const plan = planOf(PLAN);
    expect(plan.shape).toEqual([
      { kind: 'warm-up', users: 10, spawnPerSecond: undefined, durationMs: 5000 },
      { kind: 'closed', users: 50, spawnPerSecond: 10, durationMs: 20_000 },
      { kind: 'open', fromPerSecond: 200, toPerSecond: 200, durationMs: 20_000 },
      { kind: 'open', fromPerSecond: 50, toPerSecond: 200, durationMs: 10_000 },
    ]);
    expect(plan.users[0]).toMatchObject({
      waitTime: { kind: 'between', minMs: 100, maxMs: 500 },
      onStart: [{ name: 'POST /links', capture: { code: { from: 'json', path: ['code'] } } }],
      tasks: [
        {
          weight: 9,
          steps: [{ method: 'GET', path: '/${code}', expect: { status: [{ from: 302, to: 302 }] } }],
        },
        {
          weight: 1,
          steps: [
            {
              expect: {
                status: [
                  { from: 201, to: 201 },
                  { from: 200, to: 299 },
                  { from: 300, to: 302 },
                ],
              },
            },
          ],
        },
      ],
    });
    const wire: unknown = JSON.parse(JSON.stringify(plan));
    expect(ResolvedLoadPlanSchema.parse(wire)).toEqual(wire);
    expect(ResolvedLoadPlanSchema.safeParse({ file: 'x' }).success).toBe(false);
  });

  test('gives every threshold an id and a visibility', () => {
    const plan = planOf(PLAN);
    expect(loadCheckIds(plan)).toEqual(['load/p95-follow-100ms', 'load/errors']);
    expect(plan.thresholds.map(({ visibility }) => visibility)).toEqual(['visible', 'hidden']);
  });

  test('takes the shape of a profile', () => {
    const demo = withProfile(planOf(PLAN), 'demo');
    expect(demo?.shape).toHaveLength(1);
    expect(demo?.thresholds).toHaveLength(2);
    expect(withProfile(planOf(PLAN), 'toString')).toBeUndefined();
  });

  test('says how long it may take', () => {
    expect(loadPlanBudgetMs(planOf(PLAN))).toBeGreaterThan(55_000 + 10_000);
  });

  test('names its phases', () => {
    expect(planOf(PLAN).shape.map(phaseLabel)).toEqual([
      'warm-up 5s 10 users',
      'closed 20s 50 users',
      'open 20s 200/s',
      'open 10s 50 to 200/s',
    ]);
  });

  test.each([
    ['{ constant: 1s }', { kind: 'constant', ms: 1000 }],
    ['{ constantPacing: 2s }', { kind: 'pacing', periodMs: 2000 }],
    ['{ constantThroughput: 4/s }', { kind: 'pacing', periodMs: 250 }],
  ])('reads the wait time %s', (yaml, expected) => {
    expect(planOf(PLAN.replace('{ between: [100ms, 500ms] }', yaml)).users[0]?.waitTime).toEqual(expected);
  });

  test.each([
    [
      '{ arrivalRate: 200/s, for: 20s }',
      '{ findKnee: { objective: p95 < 1s, from: 50/s, to: 90/s }, for: 1s }',
      'shape.2.for',
      'nothing beside it',
    ],
    [
      '{ arrivalRate: 200/s, for: 20s }',
      '{ findKnee: { objective: p95 < 1s and rps > 5, from: 50/s, to: 90/s } }',
      'shape.2.findKnee.objective',
      'rps is no part of an objective',
    ],
    [
      '{ arrivalRate: 200/s, for: 20s }',
      '{ findKnee: { objective: p95 < 1s, from: 50/s, to: 40/s, for: 2s } }',
      'shape.2.findKnee.for',
      'time for 8 steps',
    ],
    ['p95(follow) < 100ms', 'knee >= 100/s', 'thresholds.0.that', 'nothing looks for the knee'],
    ['p95(follow) < 100ms', 'p95(follow) < 3 y reference', 'thresholds.0.that', '20 x reference'],
    ['{ arrivalRate: 200/s, for: 20s }', '{ arrivalRate: 200, for: 20s }', 'shape.2.arrivalRate', ''],
    ['{ arrivalRate: 200/s, for: 20s }', '{ arrivalRate: 200/s }', 'shape.2.for', 'how long'],
    ['{ arrivalRate: 200/s, for: 20s }', '{ arrivalRate: 0/s, for: 1s }', 'shape.2.arrivalRate', 'above 0'],
    ['{ arrivalRate: 200/s, for: 20s }', '{ arrivalRate: 2/s, users: 3, for: 1s }', 'shape.2.users', ''],
    ['{ arrivalRate: 200/s, for: 20s }', '{ for: 20s }', 'shape.2', 'arrivalRate, for'],
    ['{ warmUp: 5s, users: 10 }', '{ warmUp: 5s }', 'shape.0.users', 'warm up'],
    ['{ warmUp: 5s, users: 10 }', '{ warmUp: 5s, users: 10, for: 1s }', 'shape.0.for', 'warm-up'],
    ['[ { users: 5, for: 3s } ]', '[ { warmUp: 5s, users: 5 } ]', 'profiles.demo.shape', 'counts'],
    ['{ warmUp: 5s,', '{ warmUp: 30m,', 'shape', 'at most 30 minutes'],
    ['{ warmUp: 5s,', '{ warmUp: 0s,', 'shape.0.warmUp', 'more than 0'],
    ['[100ms, 500ms]', '[500ms, 100ms]', 'users.0.waitTime.between', 'shortest'],
    ['{ between:', '{ constant: 1s, between:', 'users.0.waitTime', 'exactly one'],
    ['${code}', '${cod}', 'users.0.tasks.0.request', 'nothing captures "cod"'],
    ['json: { url: x }', 'json: { url: "${nope}" }', 'users.0.tasks.1.json.url', 'nothing captures'],
    ['json: { url: x }', 'json: { url: "${random.nope}" }', 'users.0.tasks.1.json.url', 'not a template'],
    ['json: { url: x }', 'json: {}, text: x', 'users.0.tasks.1.text', 'already has a body'],
    ['json: { url: x }', 'headers: { Host: x }', 'users.0.tasks.1.headers.Host', 'sets this header'],
    ['json: { url: x }', 'headers: { a: "x\\ny" }', 'users.0.tasks.1.headers.a', 'printable'],
    ['expect: { status: 302 }', 'expect: { status: 3XX }', 'users.0.tasks.0.expect.status', '2xx'],
    [
      'expect: { status: 302 }',
      'expect: { json: { a: "${random.slug}" } }',
      'users.0.tasks.0.expect.json.a',
      'a new value',
    ],
    [
      'expect: { status: 302 }',
      'expect: { json: { $matchs: x } }',
      'users.0.tasks.0.expect.json.$matchs',
      'unknown matcher',
    ],
    ['$.code', '$..code', 'users.0.onStart.0.capture.code', 'plain path'],
    ['GET /', 'FETCH /', 'users.0.tasks.0.request', 'a method and a path'],
    ['name: create', 'name: follow', 'users.0.tasks.1.name', 'unique'],
    ['p95(follow)', 'p95(folow)', 'thresholds.0.that', 'tasks are follow, create'],
    ['p95(follow) < 100ms', 'p95(follow) > 100ms', 'thresholds.0.that', 'takes "<"'],
    ['id: load/errors', 'id: load/p95-follow-100ms', 'thresholds.1.that', 'same id'],
    ['weight: 4', 'weight: 0', 'users.0.weight', ''],
  ])('with %s written %s is refused at %s', (from, to, path, message) => {
    expect(PLAN).toContain(from);
    const issues = issuesOf(PLAN.replace(from, to));
    expect(issues.map((issue) => issue.path)).toContain(path);
    expect(issues.map((issue) => issue.message).join('\n')).toContain(message);
  });

  test('may have a hundred rows in its results and no more', () => {
    const tasks = Array.from({ length: 100 }, (_, index) => `{ name: t${index}, request: GET / }`).join(',');
    const text = `{ users: [ { name: U, tasks: [${tasks}] } ], shape: [ { users: 1, for: 1s } ], thresholds: [ { that: errors < 1% } ] }`;
    expect(issuesOf(text)).toEqual([]);
    expect(
      issuesOf(text.replace('tasks: [', 'tasks: [ { name: more, request: GET / }, '))[0]?.message,
    ).toContain('at most 100');
  });
});

describe('a threshold', () => {
  test.each([
    ['p95(follow) < 100ms', { metric: 'p95', task: 'follow', operator: '<', limit: 100, unit: 'ms' }],
    ['avg<=1.5s', { metric: 'avg', task: undefined, operator: '<=', limit: 1500, unit: 'ms' }],
    [
      'errors(GET /a) < 0.5%',
      { metric: 'errors', task: 'GET /a', operator: '<', limit: 0.005, unit: 'ratio' },
    ],
    ['checks >= 99%', { metric: 'checks', task: undefined, operator: '>=', limit: 0.99, unit: 'ratio' }],
    ['rps > 600/m', { metric: 'rps', task: undefined, operator: '>', limit: 10, unit: '/s' }],
    ['rps > 400', { metric: 'rps', task: undefined, operator: '>', limit: 400, unit: '/s' }],
  ])('%s is understood', (text, threshold) => {
    expect(parseThreshold(text)).toEqual({ ok: true, threshold });
  });

  test.each([
    ['p95 100ms', 'expected "<metric>'],
    ['p96 < 100ms', 'unknown metric "p96"'],
    ['p95() < 100ms', 'between the brackets'],
    ['p95 < 100', 'a duration with a unit'],
    ['errors < 5', 'a percentage'],
    ['errors < 101%', 'a percentage'],
    ['rps > fast', 'a rate'],
    ['rps < 10', 'takes ">"'],
  ])('%s is refused', (text, message) => {
    const parsed = parseThreshold(text);
    expect(parsed.ok ? '' : parsed.message).toContain(message);
  });
});
