import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runSuite } from '../../../graders/api/tests/helpers/run-suite.ts';
import { serveHttp } from '../../../graders/api/tests/helpers/tcp-server.ts';
import type { TestServer } from '../../../graders/api/tests/helpers/tcp-server.ts';
import { importCollection } from '../../../src/challenges/postman/import-collection.ts';
import { conduitService } from '../../helpers/conduit-service.ts';

const FILE = new URL('../../helpers/conduit.postman_collection.json', import.meta.url);
const conduit = importCollection('conduit.postman_collection.json', readFileSync(FILE, 'utf8'));

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function verdicts(flaw?: Parameters<typeof conduitService>[0]) {
  server = await serveHttp(conduitService(flaw));
  const checks = await runSuite(conduit.yaml, server.target, { secondPass: true });
  return Object.fromEntries(checks.map((check) => [check.name, `${check.status} ${check.message}`.trim()]));
}

describe('a collection in the style of RealWorld', () => {
  it('runs against a service that does what it says, twice over', async () => {
    expect(await verdicts()).toEqual({
      Auth: 'passed',
      Articles: 'passed',
      'Articles / Comments': 'passed',
      Tags: 'passed',
      Files: 'passed',
    });
  });

  it('finds what a service does wrong', async () => {
    const found = await verdicts('wrong-slug');
    expect(found['Articles']).toContain('expected $.article.slug');
    expect(found['Auth']).toBe('passed');
    await server?.close();
    expect((await verdicts('keeps-deleted'))['Articles']).toBe('failed expected status 204, got 200');
  });

  it('lists all that it does not carry over, with its place', () => {
    const lines = conduit.notices.map(({ place, message }) => `${place}: ${message}`);
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^Auth \/ Login, test script line \d+: console\.log\("logged in"\)$/),
        expect.stringMatching(/^Articles \/ Single Article, test script line \d+: article\.tagList\.forEach/),
        expect.stringMatching(/^Tags \/ All Tags, test script line 2: if \(pm\.response/),
        'Files / Upload: auth of the type "oauth2" is not carried over',
        'Files / Upload: the path variable ":id" has no value; it stays as it is',
        'Files / Upload: the file of the part "file" is not in the collection; a short text stands in for it',
        'variables: "missing" is set nowhere in the collection; it is empty',
        'variables: "EMAIL" is made anew for every check (${random.email}) in place of "jake@jake.example"',
      ]) as string[],
    );
    expect(lines).toHaveLength(9);
    for (const line of lines) {
      expect(conduit.yaml).toContain(`#   ${line}`);
    }
  });

  it('becomes a suite that a person would write', () => {
    const suite = parse(conduit.yaml) as {
      vars: object;
      secrets: string[];
      tests: { name: string; steps: object[] }[];
    };
    expect(suite.vars).toEqual({
      EMAIL: '${random.email}',
      USERNAME: '${random.slug}',
      PASSWORD: 'jakejake',
      position: 7,
      missing: '',
    });
    expect(suite.secrets).toEqual(['PASSWORD']);
    expect(suite.tests.map(({ name, steps }) => [name, steps.length])).toEqual([
      ['Auth', 3],
      ['Articles', 6],
      ['Articles / Comments', 4],
      ['Tags', 1],
      ['Files', 1],
    ]);
    expect(suite.tests[1]?.steps[2]).toMatchObject({
      request: 'POST /api/articles',
      headers: { Authorization: 'Token ${token}' },
      json: { article: { title: 'How to ${random.word}', position: '${position}' } },
      expect: {
        status: 201,
        within: '5000ms',
        jsonpath: {
          '$.article.createdAt': { $date: 'iso' },
          '$.article.tagList': { $type: 'array' },
          '$.article.favoritesCount': { $type: 'integer' },
        },
      },
      capture: { slug: '$.article.slug' },
    });
  });
});

function importScript(script: string, more: object = {}) {
  const item = { name: 'r', request: { method: 'GET', url: '{{u}}/x' }, event: [test(script)], ...more };
  const text = JSON.stringify({ info: { name: 'C' }, item: [item] });
  const { yaml, notices } = importCollection('c.json', text);
  const { tests } = parse(yaml) as { tests: { steps: { expect?: object; capture?: object }[] }[] };
  return { step: tests[0]?.steps[0], notices: notices.filter(({ place }) => place !== 'variables') };
}

function test(script: string): object {
  return { listen: 'test', script: { exec: script.split('\n') } };
}

describe('script idioms', () => {
  it.each([
    ['pm.response.to.have.status("Created")', { status: 201 }],
    ['pm.response.to.be.clientError', { status: '4xx' }],
    ['pm.response.to.not.be.error', { status: '100-399' }],
    ['pm.expect(pm.response).to.have.status(200)', { status: 200 }],
    ['pm.response.to.have.header("X-A", "b")', { headers: { 'x-a': 'b' } }],
    ['pm.response.to.not.have.header("X-A")', { headers: { 'x-a': { $absent: true } } }],
    ['pm.expect(pm.response.headers.get("X-A")).to.include("b")', { headers: { 'x-a': { $contains: 'b' } } }],
    ['pm.expect(pm.response.json().a.b[0]).to.not.equal(1)', { jsonpath: { '$.a.b[0]': { $not: 1 } } }],
    ['pm.expect(pm.response.json()).to.eql({ a: [1, null] })', { jsonpath: { $: { a: [1, null] } } }],
    ['pm.expect(pm.response.json()["a b"]).to.be.null', { jsonpath: { "$['a b']": null } }],
    ['pm.expect(pm.response.json().n).to.be.within(1, 3)', { jsonpath: { '$.n': { $range: [1, 3] } } }],
    ['pm.expect(pm.response.json().l).to.have.lengthOf(2)', { jsonpath: { '$.l': { $length: 2 } } }],
    [
      'pm.expect(pm.response.json().l).to.have.length.of.at.least(2)',
      { jsonpath: { '$.l': { $length: { $gte: 2 } } } },
    ],
    [
      'pm.expect(pm.response.json().l).to.be.an("array").that.is.empty',
      { jsonpath: { '$.l': { $type: 'array', $length: 0 } } },
    ],
    [
      'pm.expect(pm.response.json().l).to.have.members([1, 2])',
      { jsonpath: { '$.l': { $contains: [1, 2], $length: 2 } } },
    ],
    ['pm.expect(pm.response.json()).to.not.have.property("x")', { jsonpath: { '$.x': { $absent: true } } }],
    [
      'pm.expect(typeof pm.response.json().s).to.equal("string")',
      { jsonpath: { '$.s': { $type: 'string' } } },
    ],
    [
      'pm.expect(pm.response.json().a).to.be.a("string");\npm.expect(pm.response.json().a).to.equal("x")',
      { jsonpath: { '$.a': { $type: 'string', $oneOf: ['x'] } } },
    ],
    [
      'pm.expect(pm.response.json().t).to.include("a");\npm.expect(pm.response.json().t).to.include("b")',
      { jsonpath: { '$.t': { $contains: 'a' }, "$['t']": { $contains: 'b' } } },
    ],
    [
      'tests["x"] = responseBody.has("ok") && responseTime < 300',
      { text: { $contains: 'ok' }, within: '300ms' },
    ],
    [
      'const s = 1;\npm.expect(pm.response.json().a).to.eql("cost ${x}")',
      { jsonpath: { '$.a': 'cost $${x}' } },
    ],
  ])('%s', (script, expected) => {
    expect(importScript(script).step?.expect).toEqual(expected);
  });

  it.each([
    'pm.expect(pm.response.json().a).to.satisfy((a) => a > 1)',
    'pm.expect(pm.response.json().a).to.match(/x/i)',
    'pm.expect(1).to.equal(1)',
    'pm.test("later")',
    'pm.sendRequest("http://localhost", () => {})',
    'for (const x of [1]) pm.expect(x).to.equal(1)',
    'pm.environment.set("x", Math.random())',
    'let y = Math.random()',
    'postman.setNextRequest("other")',
    'pm.response.to.have.status(somewhere)',
    'this is not a script',
  ])('are listed where they have no counterpart: %s', (script) => {
    const { step, notices } = importScript(`\n${script}`);
    expect(step?.expect).toBeUndefined();
    expect(notices).toHaveLength(1);
    expect(notices[0]?.place).toMatch(/^r, test script line [12]$/);
  });

  it('keep two statuses that cannot both be apart', () => {
    const { step, notices } = importScript(
      'pm.response.to.have.status(200)\npm.response.to.have.status(201)',
    );
    expect(step?.expect).toEqual({ status: 200 });
    expect(notices).toHaveLength(1);
  });
});

it.each([
  ['{', /is not JSON/],
  ['{"info":{"name":"x"}}', /item: .*mend|item: /],
  ['{"info":{"name":"x"},"item":[]}', /holds no request/],
])('refuses %s with what is wrong', (text, message) => {
  expect(() => importCollection('c.json', text)).toThrow(message);
});
