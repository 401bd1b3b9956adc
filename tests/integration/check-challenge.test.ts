import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { runCheckCommand } from '../../src/cli/check-command.ts';
import { openGrading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { CheckReportSchema } from '../../src/domain/check-report.ts';

it('refuses a challenge with a flaky reference, an inexact sample and a hole in its suite, and names each', async () => {
  const stdout = new PassThrough();
  const stderr = new PassThrough() as unknown as NodeJS.WriteStream;
  const code = await runCheckCommand(
    {
      bundle: 'tests/fixtures/guestbook',
      stages: undefined,
      repeat: 3,
      mutants: true,
      profile: undefined,
      // With it the turns of the moody reference see both sides of the coin.
      seed: 'both-sides-2',
      json: true,
    },
    () => openGrading(readConfig()),
    { stdout, stderr, color: false },
    new AbortController().signal,
  );
  const report = CheckReportSchema.parse(JSON.parse((stdout.read() as Buffer).toString()));

  expect(code).toBe(1);
  expect(report).toMatchObject({ ok: false, trouble: [] });
  expect(report.flaky).toMatchObject([
    { check: 'notes/both-sides-of-the-coin-are-there', reference: 'reference-moody', runs: 3 },
  ]);
  expect(report.references.map(({ name, ok }) => [name, ok])).toEqual([
    ['reference-moody', false],
    ['reference-solid', true],
  ]);
  expect(report.broken.map(({ name, ok }) => [name, ok])).toEqual([
    ['broken-forgetful', true],
    ['broken-more-than-said', false],
  ]);
  expect(report.unexercised).toEqual(['notes/both-sides-of-the-coin-are-there']);
  expect(report.refusals).toHaveLength(3);

  const { mutation } = report;
  const ids = mutation.survivors.map(({ id }) => id);
  expect(mutation.reference).toBe('reference-solid');
  expect(mutation.killed).toBeGreaterThan(20);
  expect(ids).toContain('POST /notes → 201 wrong-content-type');
  expect(ids).not.toContain('GET /notes/{} → 200 change-value text');
  expect(ids.filter((id) => !id.endsWith('wrong-content-type'))).toEqual(['POST /notes duplicate']);
}, 400_000);
