import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Check } from '../../../src/domain/grader-protocol.ts';
import { serveHttp } from '../../api/tests/helpers/tcp-server.ts';
import type { TestServer } from '../../api/tests/helpers/tcp-server.ts';
import { runCode } from '../run-code.ts';

let folder = '';
// Below the project, so that the files find vitest as they do in the image.
beforeAll(async () => {
  folder = await mkdtemp(join(import.meta.dirname, 'tmp-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let server: TestServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** The host: what it answers when it is asked to start the service, which runs unless this says otherwise. */
type Start = () => Promise<{ note?: string }>;

async function grade(
  source: string,
  names: string[],
  { listed = names, start = () => Promise.resolve({}) }: { listed?: string[]; start?: Start } = {},
): Promise<Check[]> {
  await writeFile(join(folder, 'x.test.ts'), source);
  const checks: Check[] = [];
  const plan = {
    file: 'x.test.ts',
    suite: 'X',
    readyPath: '/ready',
    listed,
    checks: names.map((name) => ({
      id: `x/${name}`,
      name,
      points: 2,
      skill: 'engineering' as const,
      visibility: 'hidden' as const,
      tags: [],
    })),
  };
  const target = server?.target ?? { address: '127.0.0.1', port: 9 };
  const input = { v: 1, stage: 'api', target, seed: 's', deadlineMs: 60_000, plan } as const;
  await runCode(
    input,
    plan,
    { root: folder, scratch: folder },
    {
      emit: (event) => {
        if (event.event === 'check') {
          checks.push(event.check);
        }
        return Promise.resolve();
      },
      control: async () => ({ id: 'c', ok: true, ...(await start()) }),
      log: new Writable({ write: (_chunk, _encoding, done) => done() }),
    },
  );
  return checks;
}

it('makes a check of every listed test, with the difference where it fails', async () => {
  server = await serveHttp((_request, response) => response.end('{"items":[1,2]}'));
  const checks = await grade(
    `import { describe, expect, it } from 'vitest';
const base: string = process.env['ASSAY_BASE_URL'] ?? '';
describe('listing', () => {
  it('answers', async () => { expect((await fetch(base + '/items')).status).toBe(200); });
  it('has three items', async () => {
    expect(await (await fetch(base + '/items')).json()).toEqual({ items: [1, 2, 3] });
  });
});
it('throws', () => { throw new TypeError('no such thing'); });
it.skip('leaves itself out', () => {});
it('is not listed', () => {});
it('runs another time', () => {});
it('has the seed', () => { expect(process.env['ASSAY_SEED']).toBe('s'); });
`,
    ['listing > answers', 'has three items', 'throws', 'leaves itself out', 'is missing', 'has the seed'],
    {
      listed: [
        'listing > answers',
        'has three items',
        'throws',
        'leaves itself out',
        'is missing',
        'has the seed',
        'runs another time',
      ],
    },
  );
  const byName = Object.fromEntries(checks.map((check) => [check.name, check]));
  expect(Object.fromEntries(checks.map(({ name, status, points }) => [name, [status, points]]))).toEqual({
    'listing > answers': ['passed', 2],
    'has three items': ['failed', 0],
    throws: ['failed', 0],
    'leaves itself out': ['skipped', 0],
    'is not listed': ['errored', 0],
    'is missing': ['errored', 0],
    'has the seed': ['passed', 2],
  });
  expect(byName['has three items']).toMatchObject({ id: 'x/has three items', suite: 'X', maxPoints: 2 });
  expect(byName['has three items']?.evidence?.diff?.join('\n')).toMatch(/^-\s+3,$/m);
  expect(byName['throws']?.message).toBe('no such thing');
  expect(byName['is missing']?.message).toContain('the file has no test of this name');
  expect(byName['is not listed']?.maxPoints).toBe(0);
});

it('lays a file that cannot be loaded at the challenge, not at the service', async () => {
  const checks = await grade(`import './nothing-here.ts';\n`, ['answers']);
  expect(checks).toMatchObject([{ name: 'answers', status: 'errored', points: 0 }]);
  expect(checks[0]?.message).toContain('could not be loaded');
});

it('fails the tests of a group whose hook fails, and no test that leaves itself out', async () => {
  server = await serveHttp((_request, response) => response.end());
  const checks = await grade(
    `import { beforeAll, describe, it } from 'vitest';
describe('group', () => {
  beforeAll(() => { throw new Error('the service gave no list'); });
  it('begins never', () => {});
  describe('inner', () => { it('neither', () => {}); });
  it.skip('is skipped', () => {});
});
describe('other', () => {
  it('skips itself', ({ skip }) => skip());
  it('passes', () => {});
});
`,
    ['group > begins never', 'neither', 'is skipped', 'skips itself', 'passes'],
  );
  expect(Object.fromEntries(checks.map(({ name, status, message }) => [name, [status, message]]))).toEqual({
    'group > begins never': ['failed', 'the service gave no list'],
    neither: ['failed', 'the service gave no list'],
    'is skipped': ['skipped', 'The test leaves itself out.'],
    'skips itself': ['skipped', 'The test leaves itself out.'],
    passes: ['passed', ''],
  });
});

it('fails a test in which the service ends after a right answer, and begins the next when it is back', async () => {
  let running = true;
  server = await serveHttp((request, response) => {
    if (!running) {
      request.socket.destroy();
      return;
    }
    running = request.url !== '/last';
    response.end('right');
  });
  const checks = await grade(
    `import { expect, it } from 'vitest';
const base: string = process.env['ASSAY_BASE_URL'] ?? '';
for (const path of ['last', 'next']) {
  it(path, async () => { expect(await (await fetch(base + '/' + path)).text()).toBe('right'); });
}
`,
    ['last', 'next'],
    {
      start: async () => {
        await setTimeout(300);
        running = true;
        return { note: 'It exited with code 1.' };
      },
    },
  );
  expect(checks).toMatchObject([
    { name: 'last', status: 'failed', points: 0 },
    { name: 'next', status: 'passed', points: 2 },
  ]);
  expect(checks[0]?.message).toBe('During this check the service ended: It exited with code 1.');
});
