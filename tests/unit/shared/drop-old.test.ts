import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { dropOld } from '../../../src/shared/drop-old.ts';
import { uploadChore } from '../../../src/worker/chores.ts';

const HOUR_MS = 3_600_000;

/** A folder with a file and a filled folder that are this old, and one of each that are new. */
async function leftovers(ageMs: number): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-drop-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const then = new Date(Date.now() - ageMs);
  for (const age of ['old', 'new']) {
    await mkdir(join(folder, `bundle-${age}`, 'hidden'), { recursive: true });
    await writeFile(join(folder, `bundle-${age}`, 'hidden', 'suite.yaml'), 'x');
    await writeFile(join(folder, `${age}.upload`), 'x');
  }
  await utimes(join(folder, 'bundle-old'), then, then);
  await utimes(join(folder, 'old.upload'), then, then);
  return folder;
}

it('removes what a death has left, folders with all that is in them, and nothing younger', async () => {
  const folder = await leftovers(2 * HOUR_MS);

  expect(await dropOld(folder, 3 * HOUR_MS)).toBe(0);
  expect(await dropOld(folder, HOUR_MS)).toBe(2);
  expect((await readdir(folder)).toSorted()).toEqual(['bundle-new', 'new.upload']);
  expect(await dropOld(join(folder, 'never was'), HOUR_MS)).toBe(0);
});

it('is what the service does with uploads that nobody finished, once an hour', async () => {
  const folder = await leftovers(HOUR_MS + 60_000);
  const chore = uploadChore(folder, pino({ level: 'silent' }));

  expect(await chore.turn()).toBe(false);
  expect((await readdir(folder)).toSorted()).toEqual(['bundle-new', 'new.upload']);
  expect(chore.everyMs).toBeLessThanOrEqual(HOUR_MS);
});
