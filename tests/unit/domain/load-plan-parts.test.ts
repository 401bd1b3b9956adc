import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { LoadPlanSchema, requestNames, resolveLoadPlan, withProfile } from '../../../src/domain/load-plan.ts';
import { phaseLabel } from '../../../src/domain/load-shape.ts';

const SHOP = `
users:
  - name: Buyer
    tasks:
      - { name: look, weight: 3, request: GET /items, tags: [read], capture: { id: "$[0].id" } }
      - name: buy
        tags: [write, slow]
        sequence:
          - { name: hold, request: "POST /items/\${id}/holds", capture: { hold: $.id } }
          - { name: pay, request: "POST /holds/\${hold}/pay", expect: { status: 201 } }
  - name: Clerk
    tasks: [ { name: add, request: POST /items, tags: [write] } ]
shape: [ { users: 5, for: 3s } ]
thresholds: [ { that: "p95(look) < 1s" }, { that: "errors < 1%" } ]
`;

function read(text: string) {
  return LoadPlanSchema.safeParse(parse(text));
}

function planOf(text: string) {
  return resolveLoadPlan('hidden/load.yaml', LoadPlanSchema.parse(parse(text)));
}

function problemsOf(text: string): string[] {
  return (read(text).error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('a sequence', () => {
  test('is one task of several requests, each with a row of its own', () => {
    const plan = planOf(SHOP);
    expect(plan.users[0]?.tasks.map(({ name, steps }) => [name, steps.map((step) => step.name)])).toEqual([
      ['look', ['look']],
      ['buy', ['hold', 'pay']],
    ]);
    expect(requestNames(plan.users)).toEqual(['look', 'hold', 'pay', 'add']);
  });

  test.each([
    ['name: pay', 'name: look', 'users.0.tasks.1.sequence.1.name: "Buyer" has a task of this name'],
    ['${hold}', '${holt}', 'users.0.tasks.1.sequence.1.request: nothing captures "holt"'],
    ['tags: [write, slow]', 'request: GET /x', 'users.0.tasks.1.request: a sequence has only requests'],
    ['tags: [write, slow]', 'timeout: 2s', 'users.0.tasks.1.timeout: a sequence has only requests'],
    ['tags: [read], capture', 'sequence: [], capture', 'users.0.tasks.0.sequence: Too small'],
    ['request: GET /items, ', '', 'users.0.tasks.0.request: missing: a request, or a sequence'],
    ['p95(look)', 'p95(buy)', 'thresholds.0.that: "buy" is a sequence; name one of its requests: hold, pay'],
    [
      'expect: { status: 201 }',
      'json: {}, text: x',
      'users.0.tasks.1.sequence.1.text: the request already has',
    ],
  ])('with %s written %s is refused', (from, to, problem) => {
    expect(SHOP).toContain(from);
    expect(problemsOf(SHOP.replace(from, to)).join('\n')).toContain(problem);
  });
});

describe('tags', () => {
  test.each([
    ['tags: [read]', ['look']],
    ['excludeTags: [slow]', ['look', 'add']],
    ['tags: [read, write]\nexcludeTags: [slow]', ['look', 'add']],
  ])('%s choose tasks; a user without any is left out', (choice, names) => {
    const { users } = planOf(`${SHOP}${choice}\n`);
    expect(users.flatMap((user) => user.tasks.map(({ name }) => name))).toEqual(names);
    expect(users.every((user) => user.tasks.length > 0)).toBe(true);
  });

  test('of a profile stand instead of those of the plan', () => {
    const plan = planOf(`${SHOP}excludeTags: [slow]
profiles:
  all: { shape: [ { users: 1, for: 1s } ], excludeTags: [] }
  reading: { shape: [ { users: 1, for: 1s } ], tags: [read] }
  same: { shape: [ { users: 1, for: 1s } ] }
`);
    const rows = ['all', 'reading', 'same'].map((name) => requestNames(withProfile(plan, name)?.users ?? []));
    expect(rows).toEqual([['look', 'hold', 'pay', 'add'], ['look'], ['look', 'add']]);
  });

  test.each([
    ['tags: [raed]', 'tags: no task has the tag "raed"; tags are read, write, slow'],
    ['tags: [read]\nexcludeTags: [read]', 'tags: no task is left'],
    ['excludeTags: [read]', 'thresholds.0.that: the task "look" is left out by tags'],
    ['excludeTags: [read]', 'excludeTags: "hold" needs "id", which only tasks capture that are left out'],
    [
      'profiles: { p: { shape: [ { users: 1, for: 1s } ], tags: [rd] } }',
      'profiles.p.tags: no task has the tag "rd"',
    ],
    [
      'profiles: { p: { shape: [ { findKnee: { objective: p95(add) < 1s, from: 1/s, to: 9/s } } ], tags: [read] } }',
      'profiles.p.shape.0.findKnee.objective: the task "add" is left out by tags',
    ],
  ])('%s are refused', (choice, problem) => {
    expect(problemsOf(`${SHOP}${choice}\n`).join('\n')).toContain(problem);
  });
});

describe('a named shape', () => {
  function shapeOf(entry: string) {
    return planOf(SHOP.replace('{ users: 5, for: 3s }', entry)).shape;
  }

  test.each([
    ['{ ramp: { from: 10/s, to: 50/s, for: 8s } }', ['ramp: open 8s 10 to 50/s']],
    ['{ ramp: { from: 20, to: 5, for: 10s }, name: closing }', ['closing, ramp: closed 10s 20 to 5 users']],
    [
      '{ steps: { from: 10/s, to: 35/s, by: 10/s, each: 2s } }',
      ['10', '20', '30', '35'].map((rate, at) => `step ${at + 1} of 4: open 2s ${rate}/s`),
    ],
    [
      '{ steps: { from: 9, to: 3, by: 3, each: 500ms } }',
      ['9', '6', '3'].map((users, at) => `step ${at + 1} of 3: closed 0.5s ${users} users`),
    ],
    [
      '{ name: noon, spike: { base: 20/s, peak: 200/s, hold: 4s, for: 20s } }',
      [
        'noon, before the spike: open 8s 20/s',
        'noon, spike: open 4s 200/s',
        'noon, after the spike: open 8s 20/s',
      ],
    ],
    ['{ name: calm, users: 3, for: 1s }', ['calm: closed 1s 3 users']],
  ])('%s is phases', (entry, labels) => {
    expect(shapeOf(entry).map(phaseLabel)).toEqual(labels);
  });

  test('of users ramps by the rate that its time asks for', () => {
    expect(shapeOf('{ ramp: { from: 10, to: 50, for: 8s } }')).toEqual([
      { kind: 'closed', name: 'ramp', fromUsers: 10, users: 50, spawnPerSecond: 5, durationMs: 8000 },
    ]);
  });

  test.each([
    ['{ ramp: { from: 10, to: 50/s, for: 8s } }', 'shape.0.ramp.to: expected a number of users'],
    ['{ steps: { from: 1/s, to: 5/s, by: 1, each: 1s } }', 'shape.0.steps.by: expected a rate'],
    ['{ steps: { from: 1, to: 500, by: 1, each: 1s } }', 'shape.0.steps.by: expected at most 50 steps'],
    ['{ spike: { base: 5, peak: 5, hold: 1s, for: 9s } }', 'shape.0.spike.peak: expected more than "base"'],
    ['{ spike: { base: 5, peak: 9, hold: 9s, for: 9s } }', 'shape.0.spike.hold: expected less than "for"'],
    ['{ ramp: { from: 5, to: 5, for: 8s } }', 'shape.0.ramp.to: expected another level'],
    ['{ ramp: { from: 1, to: 5, for: 8s }, for: 2s }', 'shape.0.for: ramp has nothing beside it'],
    ['{ ramp: { from: 1, to: 5, for: 31m } }', 'shape: expected phases of at most 30 minutes'],
  ])('%s is refused', (entry, problem) => {
    expect(problemsOf(SHOP.replace('{ users: 5, for: 3s }', entry)).join('\n')).toContain(problem);
  });
});
