import { symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { challengeCheckIds, loadChallenge, visibleSuites } from '../../../src/challenges/load-challenge.ts';
import { SpecError } from '../../../src/domain/errors.ts';
import type { SpecProblem } from '../../../src/domain/errors.ts';
import { makeBundle, SOUND_BUNDLE } from './bundle-fixture.ts';

async function problemsOf(
  changes: Record<string, string | null>,
  profile?: string,
): Promise<readonly SpecProblem[]> {
  const loading = loadChallenge(makeBundle(changes), profile === undefined ? {} : { profile });
  const error: unknown = await loading.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SpecError)) {
    throw new Error(`expected a SpecError, got ${String(error)}`);
  }
  return error.problems;
}

function edited(file: string, from: string, to: string): Record<string, string> {
  const text = SOUND_BUNDLE[file] ?? '';
  if (!text.includes(from)) {
    throw new Error(`${file} has no "${from}"`);
  }
  return { [file]: text.replace(from, to) };
}

describe('a sound bundle', () => {
  test('is read with its defaults, suites and load plan', async () => {
    const challenge = await loadChallenge(makeBundle());
    expect(challenge.file.slug).toBe('echo');
    expect(challenge.file.service.limits.memory).toBe(512 * 1024 ** 2);
    expect(challenge.suites.map((suite) => suite.file)).toEqual(['hidden/api/echo.yaml']);
    expect(challenge.load?.shape).toMatchObject([{ kind: 'closed', users: 2, durationMs: 20_000 }]);
    expect(challengeCheckIds(challenge)).toEqual([
      'echo/says-hello',
      'echo/knows-its-limits',
      'load/errors-1',
    ]);
  });

  test('runs its load test in the shape of a profile', async () => {
    const challenge = await loadChallenge(makeBundle(), { profile: 'demo' });
    expect(challenge.load?.shape).toMatchObject([{ users: 1, durationMs: 2000 }]);
  });

  test('shows candidates the visible checks only', async () => {
    const challenge = await loadChallenge(makeBundle());
    expect(
      visibleSuites(challenge.suites).flatMap((suite) => suite.tests.map((check) => check.name)),
    ).toEqual(['says hello']);
    const hidden = edited('hidden/api/echo.yaml', '    visibility: visible\n', '');
    expect(visibleSuites((await loadChallenge(makeBundle(hidden))).suites)).toEqual([]);
  });
});

describe('the digest', () => {
  test('names the content, not times or places', async () => {
    const first = await loadChallenge(makeBundle());
    const directory = makeBundle();
    utimesSync(path.join(directory, 'challenge.yaml'), 1, 1);
    expect((await loadChallenge(directory)).digest).toBe(first.digest);
    expect(first.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test.each([
    ['challenge.yaml', true],
    ['openapi.yaml', true],
    ['hidden/data/words.txt', true],
    ['statement.md', false],
    ['handout/README.md', false],
    ['submissions/reference/app.py', false],
  ])('a change in %s makes a new version: %s', async (file, changes) => {
    const before = (await loadChallenge(makeBundle({ [file]: SOUND_BUNDLE[file] ?? 'a' }))).digest;
    const after = (await loadChallenge(makeBundle({ [file]: `${SOUND_BUNDLE[file] ?? 'a'}\n# more\n` })))
      .digest;
    expect(after !== before).toBe(changes);
  });

  test('tells content from name', async () => {
    const one = await loadChallenge(makeBundle({ 'hidden/a': 'b', 'hidden/c': '' }));
    const other = await loadChallenge(makeBundle({ 'hidden/a': '', 'hidden/c': 'b' }));
    expect(one.digest).not.toBe(other.digest);
  });
});

describe('mistakes are named with place and mend', () => {
  test.each([
    [
      'an unknown key',
      edited('challenge.yaml', 'title: Echo', 'title: Echo\nservise: {}'),
      { file: 'challenge.yaml', line: 4, message: 'unknown key "servise"', mend: 'did you mean "service"?' },
    ],
    [
      'an unknown key deep inside',
      edited('challenge.yaml', 'title: Echo', 'title: Echo\nservice:\n  limits:\n    memori: 1GiB'),
      { line: 6, path: 'service.limits', mend: 'did you mean "memory"?' },
    ],
    [
      'an unknown key far from any other',
      edited('challenge.yaml', 'weight: 70,', 'weight: 70, colour: red,'),
      { line: 5, path: 'stages.api', mend: 'keys here are weight, suites' },
    ],
    [
      'an unknown runtime',
      edited('challenge.yaml', 'title: Echo', 'title: Echo\nbuild: { runtimes: [pyton] }'),
      { line: 4, path: 'build.runtimes[0]', mend: 'did you mean "python"?' },
    ],
    [
      'a quantity without its unit',
      edited('challenge.yaml', 'title: Echo', 'title: Echo\nservice: { ready: { within: "30" } }'),
      { line: 4, path: 'service.ready.within', message: expect.stringContaining('a duration with a unit') },
    ],
    [
      'a quantity as a bare number',
      edited('challenge.yaml', 'title: Echo', 'title: Echo\nservice: { limits: { memory: 512 } }'),
      { path: 'service.limits.memory', message: 'expected string, got 512' },
    ],
    [
      'a missing key',
      edited('challenge.yaml', 'slug: echo\n', ''),
      { path: 'slug', message: 'missing: expected string' },
    ],
    [
      'a pattern without files',
      edited('challenge.yaml', 'hidden/api/*.yaml', 'hidden/apis/*.yaml'),
      { line: 5, path: 'stages.api.suites[0]', message: '"hidden/apis/*.yaml" matches no file' },
    ],
    [
      'a resilience pattern without files',
      edited(
        'challenge.yaml',
        'stages:\n',
        'stages:\n  resilience: { weight: 10, suites: [hidden/none/*.yaml] }\n',
      ),
      { line: 5, path: 'stages.resilience.suites[0]', message: '"hidden/none/*.yaml" matches no file' },
    ],
    [
      'a load plan that is not there',
      edited('challenge.yaml', 'hidden/load.yaml', 'hidden/laod.yaml'),
      { line: 6, mend: 'did you mean "hidden/load.yaml"?' },
    ],
    [
      'a way out of the bundle',
      edited('challenge.yaml', 'hidden/api/*.yaml', '../other/*.yaml'),
      { line: 5, message: expect.stringContaining('inside the bundle') },
    ],
    [
      'a misspelt key in a step',
      edited('hidden/api/echo.yaml', 'expect: { status: 404 }', 'expekt: { status: 404 }'),
      { file: 'hidden/api/echo.yaml', line: 11, path: 'tests[1].steps[0]', mend: 'did you mean "expect"?' },
    ],
    [
      'a variable that nobody made',
      edited('hidden/api/echo.yaml', 'GET /nothing', 'GET /${nothing}'),
      { file: 'hidden/api/echo.yaml', line: 10, path: 'tests[1].steps[0].request' },
    ],
    [
      'a threshold that makes no sense',
      edited('hidden/load.yaml', 'errors < 1%', 'eror < 1%'),
      { file: 'hidden/load.yaml', line: 8, path: 'thresholds[0].that' },
    ],
    [
      'YAML that is none',
      { 'hidden/api/echo.yaml': 'suite: Echo\ntests: [\n' },
      { file: 'hidden/api/echo.yaml', line: expect.any(Number) },
    ],
    ['a key twice', edited('challenge.yaml', 'title: Echo', 'title: Echo\ntitle: Ohce'), { line: 4 }],
    ['no challenge.yaml', { 'challenge.yaml': null }, { file: 'challenge.yaml', message: 'does not exist' }],
  ])('%s', async (_, changes, expected) => {
    expect(await problemsOf(changes)).toEqual([expect.objectContaining(expected)]);
  });

  test('all of them at once, over all files', async () => {
    const problems = await problemsOf({
      ...edited('hidden/api/echo.yaml', 'suite: Echo', 'suit: Echo'),
      ...edited('hidden/load.yaml', 'users: 2', 'users: none'),
      'hidden/api/more.yaml': 'suite: More\n',
    });
    expect([...new Set(problems.map((problem) => problem.file))]).toEqual([
      'hidden/api/echo.yaml',
      'hidden/api/more.yaml',
      'hidden/load.yaml',
    ]);
  });

  test('a load test that outlasts its service', async () => {
    const long = edited('hidden/load.yaml', 'for: 20s', 'for: 15m');
    expect(await problemsOf(long)).toEqual([
      expect.objectContaining({
        file: 'hidden/load.yaml',
        path: 'shape',
        message: 'the test may take 15 min 22 s, but its service is ended after 15 min',
        mend: 'shorten it, or raise service.limits.wall',
      }),
    ]);
    // Its short shape is none.
    await loadChallenge(makeBundle(long), { profile: 'demo' });
  });

  test('a profile that the plan does not have', async () => {
    expect(await problemsOf({}, 'demmo')).toEqual([
      expect.objectContaining({
        file: 'hidden/load.yaml',
        message: 'has no profile "demmo"',
        mend: 'profiles: demo',
      }),
    ]);
  });

  test('check ids that two suites share', async () => {
    const second = 'suite: B\ntests: [{ name: b, id: echo/says-hello, steps: [{ request: GET / }] }]\n';
    expect(await problemsOf({ 'hidden/api/second.yaml': second })).toEqual([
      expect.objectContaining({
        file: 'hidden/api/second.yaml',
        path: 'tests[0]',
        message: 'the check id "echo/says-hello" is taken by hidden/api/echo.yaml tests[0]',
      }),
    ]);
  });

  test('a folder that is not there', async () => {
    await expect(loadChallenge('/nowhere/at/all')).rejects.toThrow('is not a folder');
  });
});

describe('hostile bundles', () => {
  test('a link out of the bundle is refused', async () => {
    const directory = makeBundle();
    symlinkSync('/etc/hostname', path.join(directory, 'hidden/secret'));
    await expect(loadChallenge(directory)).rejects.toThrow(
      'hidden/secret: is neither a regular file nor a folder',
    );
  });

  test('an alias bomb is refused', async () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i}, `.repeat(9)}]`);
    const bomb = `l0: &l0 [x]\n${levels.join('\n')}\n`;
    expect(await problemsOf({ 'hidden/api/echo.yaml': bomb })).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/alias/i) }),
    ]);
  });

  test('a huge file and a deep one are refused', async () => {
    const huge = `suite: ${'x'.repeat(1024 * 1024)}\n`;
    const deep = `suite: ${'['.repeat(50_000)}\n`;
    const problems = await problemsOf({ 'hidden/api/a.yaml': huge, 'hidden/api/b.yaml': deep });
    expect(problems.map((problem) => problem.message)).toEqual([
      expect.stringContaining('are more than the 1048576'),
      'nested deeper than 100 levels',
    ]);
  });

  test('bytes that are not text are refused', async () => {
    const directory = makeBundle();
    writeFileSync(path.join(directory, 'hidden/api/echo.yaml'), Buffer.from([0xff, 0xfe, 0x00]));
    await expect(loadChallenge(directory)).rejects.toThrow('is not UTF-8 text');
  });
});
