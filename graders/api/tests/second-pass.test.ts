import { afterEach, expect, it } from 'vitest';
import type { GraderEvent } from '../../../src/domain/grader-protocol.ts';
import { hasTimeFor, worthRepeating } from '../second-pass.ts';
import type { FirstRun } from '../second-pass.ts';
import { runSuite } from './helpers/run-suite.ts';
import { serveHttp } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const SUITE = `
suite: Shouting
vars: { word: "\${random.slug}" }
tests:
  - name: answers the word in capitals
    steps:
      - { request: "GET /\${word}", expect: { text: { $matches: "^[A-Z0-9]{10}$" } } }
  - name: says what it was asked
    steps:
      - { request: "GET /same/\${word}", expect: { text: "\${word}" } }
`;

/** Answers every word in capitals while `knows` the request, else as it came. */
async function shoutIf(knows: (path: string, userAgent: string) => boolean): Promise<TestServer> {
  return await serveHttp((request, response) => {
    const word = (request.url ?? '').split('/').at(-1) ?? '';
    const same = request.url?.startsWith('/same/');
    const shout = !same && knows(request.url ?? '', request.headers['user-agent'] ?? '');
    response.end(shout ? word.toUpperCase() : word);
  });
}

async function grade(options: { seed?: string } = {}) {
  const events: GraderEvent[] = [];
  const checks = await runSuite(SUITE, server?.target ?? { address: '', port: 0 }, {
    ...options,
    secondPass: true,
    onEvent: (event) => events.push(event),
  });
  return { checks, events };
}

it('finds nothing against a service that means it, and reports each check once', async () => {
  server = await shoutIf(() => true);
  const { checks } = await grade();
  expect(checks.map(({ id, status }) => [id, status])).toEqual([
    ['test/answers-the-word-in-capitals', 'passed'],
    ['test/says-what-it-was-asked', 'passed'],
  ]);
});

it('catches a service that answers correctly only to the data of the first seed', async () => {
  // It knows the words of one run: those of the first pass with this seed.
  const known: string[] = [];
  server = await shoutIf((path) => known.push(path) > 0);
  await runSuite(SUITE, server.target, { seed: 'leaked' });
  await server.close();
  server = await shoutIf((path) => known.includes(path));
  const { checks } = await grade({ seed: 'leaked' });
  expect(checks.map((check) => check.status)).toEqual(['passed', 'passed', 'failed']);
  expect(checks[2]).toMatchObject({
    id: 'test/answers-the-word-in-capitals',
    points: 0,
    maxPoints: 1,
    tags: ['second-pass'],
  });
  expect(checks[2]?.message).toMatch(/^held at first, but not again with other data/);
  const [first, second] = checks[2]?.evidence?.exchanges ?? [];
  expect(first).toMatchObject({ label: expect.stringMatching(/^first pass: GET/) as string });
  expect(first?.response?.body).toMatch(/^[A-Z0-9]{10}$/);
  expect(second).toMatchObject({ label: expect.stringMatching(/^second pass: GET/) as string });
  expect(second?.response?.body).toMatch(/^[a-z0-9]{10}$/);
});

it('catches a service that knows the user agent it saw first', async () => {
  let tester: string | undefined;
  server = await shoutIf((_, userAgent) => {
    tester ??= userAgent;
    return userAgent === tester;
  });
  const { checks } = await grade();
  expect(checks.map((check) => check.status)).toEqual(['passed', 'passed', 'failed']);
  const agents = checks[2]?.evidence?.exchanges?.map(
    ({ request }) => request.headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1],
  );
  expect(new Set(agents).size).toBe(2);
});

it('catches a service that is right for the first requests only', async () => {
  let requests = 0;
  server = await shoutIf(() => {
    requests += 1;
    return requests <= 1;
  });
  const { checks } = await grade();
  expect(checks.at(-1)).toMatchObject({ id: 'test/answers-the-word-in-capitals', status: 'failed' });
});

it('sends another set of headers to another seed', async () => {
  const agents = new Set<string>();
  server = await shoutIf((_, userAgent) => agents.add(userAgent).size > 0);
  for (const seed of ['a', 'b', 'c', 'd', 'e', 'f']) {
    await runSuite(SUITE, server.target, { seed });
  }
  expect(agents.size).toBeGreaterThan(2);
});

it('leaves alone what failed, what there is no time for, what acts on the process, and what asks for it', async () => {
  const paths: string[] = [];
  server = await serveHttp((request, response) => {
    paths.push(request.url ?? '');
    setTimeout(() => response.end(), request.url === '/slow' ? 1600 : 0);
  });
  const checks = await runSuite(
    `
suite: S
tests:
  - { name: fails, steps: [{ request: GET /fails, expect: { status: 500 } }] }
  - { name: slow, steps: [{ request: GET /slow }] }
  - { name: restarts, steps: [{ repeat: 1, steps: [{ service: restart }] }, { request: GET /restarts }] }
  - { name: once, secondPass: false, steps: [{ request: GET /once }] }
  - { name: again, steps: [{ request: GET /again }] }
`,
    server.target,
    { secondPass: true },
  );
  expect(checks).toHaveLength(5);
  expect(paths).toEqual(['/fails', '/slow', '/restarts', '/once', '/again', '/again']);
});

it('leaves a suite with data of its own alone, unless it asks for it', async () => {
  let requests = 0;
  server = await serveHttp((_, response) => {
    requests += 1;
    response.end();
  });
  const tests = 'tests: [{ name: t, steps: [{ request: GET / }] }]';
  await runSuite(`suite: S\nfresh: true\n${tests}`, server.target, { secondPass: true });
  expect(requests).toBe(1);
  await runSuite(`suite: S\nfresh: true\nsecondPass: true\n${tests}`, server.target, { secondPass: true });
  expect(requests).toBe(3);
});

it('does not hold slowness of the second time against a service', async () => {
  let requests = 0;
  server = await serveHttp((_, response) => {
    requests += 1;
    setTimeout(() => response.end(), requests > 1 ? 300 : 0);
  });
  const suite = `
suite: S
tests:
  - { name: quick, steps: [{ request: GET /, expect: { within: 250ms } }] }
`;
  const checks = await runSuite(suite, server.target, { secondPass: true });
  expect(requests).toBe(2);
  expect(checks).toHaveLength(1);
});

it.each([
  ['a request that times out', 'request: GET /, timeout: 300ms'],
  ['a retry', 'request: GET /, expect: { text: ok, within: 250ms }, retry: { within: 600ms, every: 100ms }'],
  ['parallel requests that time out', 'request: GET /, parallel: 2, timeout: 300ms'],
])('does not hold %s against a service the second time', async (_what, step) => {
  let passes = 0;
  server = await serveHttp((request, response) => {
    passes += request.url === '/again' ? 1 : 0;
    setTimeout(() => response.end('ok'), passes > 1 ? 500 : 0);
  });
  const suite = `suite: S\ntests: [{ name: t, steps: [{ request: GET /again, timeout: 5s }, { ${step} }] }]`;
  const checks = await runSuite(suite, server.target, { secondPass: true });
  expect(passes).toBe(2);
  expect(checks.map(({ status }) => status)).toEqual(['passed']);
});

it('makes slow checks after the quick ones, where there is time for them', () => {
  const first = [4000, 1000, 2000, 10].map(
    (durationMs) =>
      ({
        suite: { setup: [], teardown: [] },
        test: { steps: [] },
        run: { check: { status: 'passed', durationMs } },
      }) as unknown as FirstRun,
  );
  const order = worthRepeating(first, 's').map(({ run }) => run.check.durationMs);
  expect(order.slice(0, 2).toSorted((a, b) => a - b)).toEqual([10, 1000]);
  expect(order.slice(2).toSorted((a, b) => a - b)).toEqual([2000, 4000]);
  const [slow, quick] = first as [FirstRun, FirstRun];
  expect(hasTimeFor(slow, { passMs: 5000, stageMs: 60_000 })).toBe(true);
  expect(hasTimeFor(slow, { passMs: 3000, stageMs: 60_000 })).toBe(false);
  expect(hasTimeFor(slow, { passMs: 5000, stageMs: 7000 })).toBe(false);
  expect(hasTimeFor(quick, { passMs: 100, stageMs: 60_000 })).toBe(true);
  expect(hasTimeFor(quick, { passMs: 0, stageMs: 60_000 })).toBe(false);
});
