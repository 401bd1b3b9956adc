import { describe, expect, it } from 'vitest';
import {
  API_SUITE_KEYS,
  ApiPlanSchema,
  ApiSuiteSchema,
  checkIds,
  resolveSuite,
} from '../../../src/domain/api-suite.ts';

function suiteOf(steps: unknown, extra: object = {}): unknown {
  return {
    suite: 'S',
    vars: { long: 'https://example.com/${random.slug}' },
    tests: [{ name: 'a test', steps }],
    ...extra,
  };
}

function problemsOf(value: unknown): string[] {
  const parsed = ApiSuiteSchema.safeParse(value);
  return parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

describe('ApiSuiteSchema', () => {
  it('accepts a suite with every kind of step and parses its units', () => {
    const parsed = ApiSuiteSchema.parse(
      suiteOf([
        {
          request: 'POST /links',
          json: { url: '${long}' },
          expect: { status: 201, headers: { location: { $matches: '^/[A-Za-z0-9_-]{4,}$' } }, within: '1s' },
          capture: { code: '$.code', id: { from: 'header:location', matches: '/(.+)' } },
        },
        { request: 'GET /${code}', expect: { status: ['2xx', 304] }, retry: { within: '2s' } },
        {
          parallel: 50,
          request: 'POST /links',
          json: { n: '${index}' },
          capture: { 'codes[]': '$.code' },
          tally: { '2xx': 50 },
        },
        { assert: { '${codes}': { $unique: true } } },
        { service: 'restart', grace: '3s' },
        { sleep: '250ms' },
        { repeat: 2, steps: [{ request: 'GET /${index}' }] },
      ]),
    );
    const [first, second, , , service, sleep] = parsed.tests[0]?.steps ?? [];
    expect(first).toMatchObject({ expect: { within: 1000 }, capture: { code: { from: '$.code' } } });
    expect(second).toMatchObject({ retry: { within: 2000, every: 200 } });
    expect(service).toEqual({ service: 'restart', grace: 3000 });
    expect(sleep).toEqual({ sleep: 250 });
  });

  it.each([
    [
      'an unknown step',
      [{ requst: 'GET /' }],
      'tests.0.steps.0: expected a step with one of request, assert, service, sleep, steps, while, memory, raw; found requst',
    ],
    ['two kinds at once', [{ sleep: '1s', service: 'kill' }], 'tests.0.steps.0: expected a step with one of'],
    [
      'an unknown key of a request',
      [{ request: 'GET /', expct: {} }],
      'tests.0.steps.0: Unrecognized key: "expct"',
    ],
    [
      'an unknown expectation',
      [{ request: 'GET /', expect: { statuss: 1 } }],
      'tests.0.steps.0.expect: Unrecognized key: "statuss"',
    ],
    ['no method', [{ request: '/links' }], 'tests.0.steps.0.request: expected a method and a path'],
    ['CONNECT', [{ request: 'CONNECT /links' }], 'tests.0.steps.0.request: expected a method and a path'],
    [
      'a status out of range',
      [{ request: 'GET /', expect: { status: '9xx' } }],
      'tests.0.steps.0.expect.status: expected a status',
    ],
    [
      'an unknown matcher',
      [{ request: 'GET /', expect: { json: { a: [{ $mtches: 'x' }] } } }],
      'tests.0.steps.0.expect.json.a.0.$mtches: unknown matcher "$mtches"',
    ],
    [
      'a matcher beside data',
      [{ request: 'GET /', expect: { json: { $type: 'string', a: 1 } } }],
      'tests.0.steps.0.expect.json.a: matchers and plain keys stand side by side',
    ],
    [
      'a broken pattern',
      [{ request: 'GET /', expect: { text: { $matches: '(' } } }],
      'tests.0.steps.0.expect.text.$matches: Invalid regular expression',
    ],
    [
      'a wrong argument',
      [{ request: 'GET /', expect: { json: { $not: { $range: [1] } } } }],
      'tests.0.steps.0.expect.json.$not.$range: expected [minimum, maximum]',
    ],
    ['no unit', [{ sleep: '5' }], 'tests.0.steps.0.sleep: expected a duration with a unit'],
    [
      'two bodies',
      [{ request: 'POST /', json: 1, text: 'a' }],
      'tests.0.steps.0.text: the request already has a body in "json"',
    ],
    [
      'a wrong $repeat',
      [{ request: 'POST /', json: { a: { $repeat: { text: 'a' } } } }],
      'tests.0.steps.0.json.a.$repeat: expected { $repeat:',
    ],
    [
      'a capture that cannot append',
      [{ request: 'GET /', parallel: 2, capture: { a: 'status' } }],
      'tests.0.steps.0.capture.a: each of several requests captures it; append with "a[]"',
    ],
    [
      'a reserved name',
      [{ request: 'GET /', capture: { random: 'status' } }],
      'tests.0.steps.0.capture.random: ',
    ],
    [
      'a capture from nowhere',
      [{ request: 'GET /', capture: { a: 'body.code' } }],
      'tests.0.steps.0.capture.a: expected a JSONPath',
    ],
    [
      'retry without expect',
      [{ request: 'GET /', retry: { within: '1s' } }],
      'tests.0.steps.0.retry: needs expect',
    ],
    [
      'tally of one',
      [{ request: 'GET /', tally: { '200': 1 } }],
      'tests.0.steps.0.tally: needs parallel or repeat',
    ],
    [
      'parallel and repeat',
      [{ request: 'GET /', parallel: 2, repeat: 2 }],
      'tests.0.steps.0.repeat: cannot be combined with "parallel"',
    ],
    [
      'a group of neither',
      [{ steps: [{ sleep: '1s' }] }],
      'tests.0.steps.0: expected either parallel, repeat or each',
    ],
    ['a mistake inside a group', [{ repeat: 2, steps: [{ sleep: 5 }] }], 'tests.0.steps.0.steps.0.sleep: '],
    [
      'bodies beyond memory',
      [{ request: 'GET /', parallel: 500, maxBody: '1MiB' }],
      'tests.0.steps.0.maxBody: the bodies of 500 requests may come to',
    ],
    [
      'an unknown variable',
      [{ request: 'GET /${cod}' }],
      'tests.0.steps.0.request: "${cod}" is neither declared in vars nor captured before; known: target, long',
    ],
    [
      'a variable used too early',
      [{ request: 'GET /${code}' }, { request: 'GET /', capture: { code: 'status' } }],
      'tests.0.steps.0.request: "${code}" is neither',
    ],
    [
      'a variable that stayed inside a group',
      [
        { repeat: 2, steps: [{ request: 'GET /', capture: { code: 'status' } }] },
        { request: 'GET /${code}' },
      ],
      'tests.0.steps.1.request: "${code}" is neither',
    ],
    [
      'an index outside of turns',
      [{ request: 'GET /${index}' }],
      'tests.0.steps.0.request: "${index}" exists only inside',
    ],
    [
      'an unknown random value',
      [{ request: 'GET /${random.slg}' }],
      'tests.0.steps.0.request: "${random.slg}" is not a template',
    ],
    [
      'a variable in a matcher',
      [{ request: 'GET /', expect: { json: { $matches: '^${nope}$' } } }],
      'tests.0.steps.0.expect.json.$matches: "${nope}" is neither',
    ],
    [
      'a variable in an asserted key',
      [{ assert: { '${nope}': 1 } }],
      'tests.0.steps.0.assert.${nope}: "${nope}" is neither',
    ],
  ])('refuses %s, with its place', (_what, steps, problem) => {
    expect(problemsOf(suiteOf(steps)).join('\n')).toContain(problem);
  });

  it('lets lists outlive a group, and captures of setup reach tests and teardown', () => {
    const steps = [
      {
        parallel: 2,
        steps: [
          { request: 'GET /', capture: { 'all[]': 'status', own: 'status' } },
          { request: 'GET /${own}' },
        ],
      },
      { assert: { '${all}': { $length: 2 }, '${first}': 200 } },
    ];
    const setup = [{ request: 'GET /', capture: { first: 'status' } }];
    const teardown = [{ request: 'DELETE /${first}/${all}' }];
    expect(problemsOf(suiteOf(steps, { setup, teardown }))).toEqual([]);
  });

  it('takes schemas and literals as they are', () => {
    const schema = { type: 'string', pattern: '^${x}$' };
    const steps = [{ request: 'GET /', expect: { schema, json: { $literal: { $ref: '${x}' } } } }];
    expect(problemsOf(suiteOf(steps))).toEqual([]);
  });

  it('refuses names that lead to the same id, and names that lead to none', () => {
    const steps = [{ sleep: '1s' }];
    const same = {
      suite: 'S',
      tests: [
        { name: 'A b', steps },
        { name: 'a  B!', steps },
      ],
    };
    expect(problemsOf(same)).toEqual(['tests.1.name: tests[0] has the same id "a-b"']);
    expect(problemsOf({ suite: 'S', tests: [{ name: '日本', steps }] })[0]).toContain(
      'give the test an "id"',
    );
  });

  it('names the keys of the whole language for suggestions', () => {
    expect(API_SUITE_KEYS).toEqual(
      expect.arrayContaining(['tests', 'skipWhen', 'request', 'within', 'grace', 'tally']),
    );
  });
});

describe('resolveSuite', () => {
  it('decides id, visibility, skill and tags of every check', () => {
    const steps = [{ sleep: '1s' }];
    const parsed = ApiSuiteSchema.parse({
      suite: 'S',
      visibility: 'visible',
      tags: ['a'],
      tests: [
        { name: 'Créer un lien — vite', steps },
        {
          name: 'two',
          id: 'other/two',
          points: 3,
          visibility: 'hidden',
          skill: 'ml',
          tags: ['a', 'b'],
          timeout: '2s',
          steps,
        },
      ],
    });
    const suite = resolveSuite('hidden/api/links.yaml', parsed);
    expect(checkIds(suite)).toEqual(['links/creer-un-lien-vite', 'other/two']);
    expect(suite.tests[0]).toMatchObject({
      points: 1,
      visibility: 'visible',
      skill: 'api-design',
      tags: ['a'],
    });
    expect(suite.tests[1]).toMatchObject({
      points: 3,
      visibility: 'hidden',
      skill: 'ml',
      tags: ['a', 'b'],
      timeoutMs: 2000,
      at: 'tests[1]',
    });
    const plan = ApiPlanSchema.parse(JSON.parse(JSON.stringify({ suites: [suite] })));
    expect(checkIds(plan.suites[0] ?? suite)).toEqual(checkIds(suite));
  });
});
