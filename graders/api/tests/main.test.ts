import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { GraderEventSchema } from '../../../src/domain/grader-protocol.ts';
import type { ControlReply, GraderEvent } from '../../../src/domain/grader-protocol.ts';
import { serveHttp } from './helpers/tcp-server.ts';
import type { TestServer } from './helpers/tcp-server.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

// Bundled once, as in the image: compiling it anew for every process takes seconds on a slow machine.
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-grader-'));
  const banner =
    "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  await build({
    entryPoints: [MAIN],
    outfile: join(folder, 'main.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: banner },
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

interface Outcome {
  events: GraderEvent[];
  exitCode: number;
  stderr: string;
}

/** Runs the grader as a process of its own and plays the host. */
async function runMain(input: string, reply?: (id: string) => ControlReply): Promise<Outcome> {
  const grader = spawn(process.execPath, [join(folder, 'main.mjs')], { stdio: 'pipe' });
  let stderr = '';
  grader.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  grader.stdin.on('error', () => undefined);
  grader.stdin.write(input);
  if (!reply) {
    grader.stdin.end();
  }
  const exited = once(grader, 'exit');
  const events: GraderEvent[] = [];
  for await (const line of createInterface({ input: grader.stdout })) {
    const event = GraderEventSchema.parse(JSON.parse(line));
    events.push(event);
    if (event.event === 'control' && reply) {
      grader.stdin.write(`${JSON.stringify(reply(event.id))}\n`);
    }
  }
  const [exitCode] = (await exited) as [number];
  return { events, exitCode, stderr };
}

function inputFor(target: TestServer['target'], steps: unknown[]): string {
  const test = {
    id: 's/t',
    name: 't',
    points: 2,
    visibility: 'hidden',
    skill: 'ml',
    tags: [],
    at: 'tests[0]',
    steps,
  };
  const suite = {
    file: 's.yaml',
    suite: 'S',
    vars: {},
    keepAlive: false,
    fresh: false,
    setup: [],
    teardown: [],
    tests: [test],
  };
  return `${JSON.stringify({ v: 1, stage: 'api', target, seed: '1', deadlineMs: 20_000, plan: { suites: [suite] } })}\n`;
}

it('speaks the protocol from the input line to done, though stdin stays open', async () => {
  server = await serveHttp((_request, response) => response.end('{"a":1}'));
  const steps = [
    { service: 'restart' },
    { request: 'GET /', expect: { json: { a: 1 }, schema: { required: ['a'] }, jsonpath: { '$.a': 1 } } },
  ];
  const outcome = await runMain(inputFor(server.target, steps), (id) => ({ id, ok: true }));
  expect(outcome.events.map((event) => event.event)).toEqual([
    'progress',
    'control',
    'check',
    'progress',
    'artifact',
    'artifact',
    'done',
  ]);
  expect(outcome.events[2]).toMatchObject({ check: { id: 's/t', status: 'passed', points: 2, message: '' } });
  expect(outcome).toMatchObject({ exitCode: 0, stderr: '' });
});

it('ends without done, with a reason for operators, when its input is wrong', async () => {
  const outcome = await runMain(
    `${JSON.stringify({ v: 1, stage: 'api', target: { address: '::1', port: 1 }, seed: '1', deadlineMs: 1, plan: 5 })}\n`,
  );
  expect(outcome).toMatchObject({ events: [], exitCode: 1 });
  expect(outcome.stderr).toContain('expected object');
});

it('fails steps that act on the service when nobody answers', async () => {
  server = await serveHttp((_request, response) => response.end());
  const outcome = await runMain(inputFor(server.target, [{ service: 'kill' }]));
  const check = outcome.events.find((event) => event.event === 'check');
  expect(check).toMatchObject({
    check: { status: 'failed', message: 'the service could not be killed: the host no longer answers' },
  });
  expect(outcome.events.at(-1)).toEqual({ event: 'done' });
});
