import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { runSteps, runSuite } from './helpers/run-suite.ts';
import { serveHttp } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** Depth of the brackets in a text. */
function depthOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const char of text) {
    depth += Number(char === '[') - Number(char === ']');
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}

it.each([
  [500, 'failed', 'expected status 2xx or 4xx, got 500'],
  [5, 'passed', ''],
])('tells a service that fails at JSON of %i levels', async (levels, status, message) => {
  server = await serveHttp((_request, response, body) => {
    response.writeHead(depthOf(body) > 100 ? 500 : 201).end();
  });
  const [check] = await runSuite(
    `
suite: Deep input
vars:
  open: { $repeat: { text: "[", times: ${levels} } }
  close: { $repeat: { text: "]", times: ${levels} } }
tests:
  - name: nested input is taken or refused
    steps:
      - request: POST /links
        headers: { content-type: application/json }
        text: '{"url":"https://example.com/","extra":\${open}\${close}}'
        expect: { status: [2xx, 4xx] }
`,
    server.target,
  );
  expect(check).toMatchObject({ status, message });
});

it.each([
  ['loses a write', false, 'failed'],
  ['keeps them all', true, 'passed'],
])('tells a service that %s under 50 requests at once', async (_what, queued, status) => {
  let items: string[] = [];
  let turn = Promise.resolve();
  async function add(item: string): Promise<void> {
    const before = items;
    // The store answers later; meanwhile others read the same list.
    await sleep(5);
    items = [...before, item];
  }
  server = await serveHttp((request, response, body) => {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ items }));
      return;
    }
    turn = queued ? turn.then(() => add(body)) : Promise.all([turn, add(body)]).then(() => undefined);
    void turn.then(() => response.writeHead(201).end());
  });
  const check = await runSteps(
    `
- { parallel: 50, request: POST /items, text: "\${index}", tally: { "201": 50 } }
- { request: GET /items, expect: { json: { items: { $length: 50, $unique: true } } } }
`,
    server.target,
  );
  expect(check.status).toBe(status);
});
