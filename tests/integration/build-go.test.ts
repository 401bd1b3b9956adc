import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { diagnoseBuild } from '../../src/grading/diagnose.ts';
import { makeTestBuilds } from '../helpers/builds.ts';

const MIB = 1024 ** 2;
const FILES = {
  'go.mod': 'module example.org/x\n\ngo 1.24\n',
  'main.go': 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(greeting) }\n',
};
const GREETING = { 'greeting.go': 'package main\n\nconst greeting = "hi"\n' };

const builds = makeTestBuilds({
  npmRegistry: undefined,
  pipIndex: undefined,
  pipExtraIndexes: [],
  // Where nothing listens.
  goProxies: ['http://127.0.0.1:9/'],
  caBundle: undefined,
  notices: [],
});

// Its first build compiles the standard library.
beforeAll(async () => {
  await builds.runtimeImage('go');
});

afterEach(async () => {
  expect(await builds.leftovers()).toEqual([]);
});

afterAll(() => builds.removeImages());

it('a Go project is built without a network; its image gains the binary and no more', async () => {
  const built = await builds.build({ ...FILES, ...GREETING });
  if (!built.ok) {
    throw new Error(built.log.text);
  }
  expect(await builds.run(built.image, ['/app/.assay/service'])).toBe('hi\n');
  const [image, runtime] = await Promise.all(
    [built.image, await builds.runtimeImage('go')].map((id) => builds.client.api.getImage(id).inspect()),
  );
  expect((image?.Size ?? 0) - (runtime?.Size ?? 0)).toBeLessThan(10 * MIB);
});

it('one that does not compile is told where', async () => {
  const outcome = await builds.build(FILES);
  if (outcome.ok) {
    throw new Error('it was built');
  }
  const failure = diagnoseBuild(outcome, 'The build step');
  expect(failure).toMatchObject({ code: 'BUILD_FAILED', blame: 'candidate' });
  expect(failure.hint).toContain('main.go:5:27: undefined: greeting');
});

it('a module proxy that does not answer is ours', async () => {
  const mod = { 'go.mod': `${FILES['go.mod']}\nrequire example.org/other v1.0.0\n` };
  await expect(builds.build({ ...FILES, ...GREETING, ...mod })).rejects.toMatchObject({
    code: 'REGISTRY_UNREACHABLE',
  });
});
