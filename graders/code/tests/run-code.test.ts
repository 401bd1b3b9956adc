import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
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

async function grade(
  source: string,
  names: string[],
  listed = names,
): Promise<{ checks: Check[]; asked: number }> {
  await writeFile(join(folder, 'x.test.ts'), source);
  const checks: Check[] = [];
  let asked = 0;
  const plan = {
    file: 'x.test.ts',
    suite: 'X',
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
  await runCode({ v: 1, stage: 'api', target, seed: 's', deadlineMs: 60_000, plan }, plan, folder, {
    emit: (event) => {
      if (event.event === 'check') {
        checks.push(event.check);
      }
      return Promise.resolve();
    },
    control: () => {
      asked += 1;
      return Promise.resolve({ id: 'c', ok: true, ...(asked > 1 ? { note: 'It exited with code 1.' } : {}) });
    },
    log: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  return { checks, asked };
}

it('makes a check of every listed test, with the difference where it fails', async () => {
  server = await serveHttp((_request, response) => response.end('{"items":[1,2]}'));
  const { checks, asked } = await grade(
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
    [
      'listing > answers',
      'has three items',
      'throws',
      'leaves itself out',
      'is missing',
      'has the seed',
      'runs another time',
    ],
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
  expect(byName['throws']?.message).toBe(
    'no such thing. During this check the service ended: It exited with code 1.',
  );
  expect(byName['is missing']?.message).toContain('the file has no test of this name');
  expect(byName['is not listed']?.maxPoints).toBe(0);
  expect(asked).toBe(2);
});

it('lays a file that cannot be loaded at the challenge, not at the service', async () => {
  const { checks } = await grade(`import './nothing-here.ts';\n`, ['answers']);
  expect(checks).toMatchObject([{ name: 'answers', status: 'errored', points: 0 }]);
  expect(checks[0]?.message).toContain('could not be loaded');
});
