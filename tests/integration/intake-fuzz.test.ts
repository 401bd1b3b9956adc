import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FUZZ_SEEDS, fuzz } from '../helpers/intake-fuzz.ts';

let folder: string;
let startFolder: string;

/** The process stands in a folder with one file: a mutant that wrote by its names would show here. */
beforeAll(async () => {
  startFolder = process.cwd();
  folder = await mkdtemp(join(tmpdir(), 'assay-canary-'));
  await writeFile(join(folder, 'package.json'), 'canary');
  process.chdir(folder);
});

afterAll(async () => {
  process.chdir(startFolder);
  await rm(folder, { recursive: true });
});

test.each(Object.keys(FUZZ_SEEDS))('A36: 1,500 mutants of a %s', async (format) => {
  const { accepted, refused } = await fuzz(format, { mutants: 1500, seed: 20_240 });
  expect(accepted + refused).toBe(1500);
  expect(await readdir(folder)).toEqual(['package.json']);
  expect(await readFile(join(folder, 'package.json'), 'utf8')).toBe('canary');
});
