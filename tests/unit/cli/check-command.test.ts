import { expect, it } from 'vitest';
import { parseCheckOptions, runCheckCommand } from '../../../src/cli/check-command.ts';
import { renderCheckReport } from '../../../src/cli/check-table.ts';
import type { CheckReport } from '../../../src/domain/check-report.ts';

it('reads the command line', () => {
  expect(parseCheckOptions(['a', '--repeat', '2', '--no-mutants', '--stages', 'api, load'])).toMatchObject({
    bundle: 'a',
    repeat: 2,
    mutants: false,
    stages: ['api', 'load'],
  });
  expect(parseCheckOptions(['a', '--repeat', 'api=20,load=1']).repeat).toEqual({ api: 20, load: 1 });
  for (const args of [[], ['a', 'b'], ['a', '--repeat', '0'], ['a', '--repeat', 'api=x'], ['a', '--what']]) {
    expect(() => parseCheckOptions(args)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  }
});

it('shows findings, survivors and refusals', () => {
  const report: CheckReport = {
    ok: false,
    challenge: { slug: 'links', digest: 'sha256:0123456789abcdef' },
    stages: ['api'],
    durationMs: 61_000,
    references: [{ name: 'reference-a', ok: true, measured: true, runs: 2, inFull: 2, problems: [] }],
    broken: [
      { name: 'broken-a', ok: false, measured: true, lost: ['b/one'], differences: ['"b/two" passed'] },
    ],
    sound: [],
    mutation: {
      killed: 3,
      total: 4,
      survivors: [
        {
          id: 'm1',
          operation: 'GET /links → 200',
          operator: 'reorder-list',
          about: 'the list "links" comes in another order',
          advice: 'Compare the order.',
        },
      ],
      meaningless: [],
      reference: 'reference-a',
      durationMs: 2000,
    },
    flaky: [],
    coverage: [
      { check: 'b/one', exercisedBy: ['broken-a', 'broken-b', 'broken-c', 'broken-d'] },
      { check: 'b/two', exercisedBy: [] },
    ],
    unexercised: ['b/two'],
    refusals: ['broken-a did not come out\u001b[2J as expected.'],
    trouble: [],
  };
  const text = renderCheckReport(report);

  expect(text).toContain('broken-a, broken-b, broken-c and 1 more');
  expect(text).toContain('3 of 4 noticed (75 %)');
  expect(text).toContain('the list "links" comes in another order');
  expect(text).toMatch(/Not blessed\.\n$/);
  expect(text).not.toContain('\u001b');
});

it('refuses repeats of a stage that the challenge does not have, before anything is opened', async () => {
  const io = { stdout: process.stdout, stderr: process.stderr, color: false };
  const options = parseCheckOptions(['bench/fixtures/trivial', '--repeat', 'laod=2']);

  await expect(
    runCheckCommand(options, () => Promise.reject(new Error('opened')), io, new AbortController().signal),
  ).rejects.toThrow('--repeat names laod; stages of this challenge: api');
});
