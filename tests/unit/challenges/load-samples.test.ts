import { describe, expect, test } from 'vitest';
import { loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { loadSamples } from '../../../src/challenges/load-samples.ts';
import type { Sample } from '../../../src/challenges/load-samples.ts';
import { makeBundle } from './bundle-fixture.ts';

async function samplesOf(files: Record<string, string>): Promise<Sample[]> {
  return loadSamples(await loadChallenge(makeBundle(files)));
}

describe('sample submissions', () => {
  test('a reference needs no expectation: it passes and loses nothing', async () => {
    const samples = await samplesOf({ 'submissions/reference-python/app.py': '' });
    expect(samples).toEqual([
      expect.objectContaining({
        name: 'reference-python',
        reference: true,
        expectation: { verdict: 'passed', loses: [], mayLose: [] },
      }),
    ]);
  });

  test('a broken one says what it loses', async () => {
    const expectation = 'verdict: partial\nloses: [echo/says-hello]\nmayLose: [load/errors-1]\n';
    const [sample] = await samplesOf({ 'submissions/broken-hello/expect.yaml': expectation });
    expect(sample?.reference).toBe(false);
    expect(sample?.expectation).toEqual({
      verdict: 'partial',
      loses: ['echo/says-hello'],
      mayLose: ['load/errors-1'],
    });
  });

  test('a bundle may have none', async () => {
    expect(await samplesOf({})).toEqual([]);
  });

  test.each([
    [
      'a missing expect.yaml',
      { 'submissions/broken-hello/app.py': '' },
      /broken-hello\/expect.yaml: does not exist/,
    ],
    [
      'an id that no check has',
      { 'submissions/broken-a/expect.yaml': 'verdict: passed\nloses:\n  - echo/say-hello\n' },
      /submissions\/broken-a\/expect.yaml:3 loses\[0\]: no check has the id "echo\/say-hello" — .*did you mean "echo\/says-hello"/,
    ],
    [
      'a verdict that does not exist',
      { 'submissions/broken-a/expect.yaml': 'verdict: pased\n' },
      /expect.yaml:1 verdict: expected .* — .*did you mean "passed"/,
    ],
    [
      'a check that is lost for certain and perhaps',
      {
        'submissions/broken-a/expect.yaml':
          'verdict: passed\nloses: [echo/says-hello]\nmayLose: [echo/says-hello]\n',
      },
      /mayLose\[0\]: "echo\/says-hello" stands under loses too/,
    ],
  ])('%s is a problem', async (_, files, message) => {
    await expect(samplesOf(files)).rejects.toThrow(message);
  });
});
