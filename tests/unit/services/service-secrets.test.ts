import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readServicePasswords } from '../../../src/services/service-secrets.ts';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-secrets-'));
});
afterEach(() => rm(home, { recursive: true }));

it('gives first starts at once the same passwords, in one file that only its user reads', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, () => readServicePasswords(home)));

  expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1);
  expect(await readdir(home)).toEqual(['services.json']);
  expect((await stat(join(home, 'services.json'))).mode & 0o777).toBe(0o600);
  expect(await readServicePasswords(home)).toEqual(all[0]);
});

it('leaves a broken file alone and says what to do', async () => {
  await writeFile(join(home, 'services.json'), '');

  await expect(readServicePasswords(home)).rejects.toMatchObject({
    code: 'SERVICES_BROKEN',
    mend: expect.stringContaining('reset') as string,
  });
});
