import { gzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { canonicalTarBytes, canonicalTarChunks } from '../../src/intake/canonical-tar.ts';
import type { ReviewedTree } from '../../src/intake/leave-out.ts';
import { buildTar, buildZip, gnuLongName, paxHeader, seededRandom } from './archives.ts';
import { inspect, mutate, resealTar } from './intake.ts';

const FILES = [
  { name: 'package.json', content: '{"name":"x"}' },
  { name: 'src/' },
  { name: 'src/a.js', content: 'console.log(1);\n'.repeat(40) },
  { name: 'src/b.sh', content: '#!/bin/sh\n', mode: 0o100755 },
];

const TAR = buildTar([
  paxHeader([
    ['path', 'src/\u00e9.js'],
    ['mtime', '1.5'],
  ]),
  { name: 'cut', content: 'x'.repeat(600) },
  gnuLongName(`${'folder/'.repeat(15)}file.js`),
  { name: 'cut', content: 'y', format: 'gnu' },
  { name: 'src/', type: '5' },
  { name: 'package.json', content: '{}' },
]);

interface FuzzSeed {
  archive: Buffer;
  /** Applied to each mutant. */
  finish?: (mutant: Buffer) => Buffer;
}

/** Valid archives to mutate; "resealed" and "inside" get past the checksums that stop blind changes. */
export const FUZZ_SEEDS: Record<string, FuzzSeed> = {
  zip: { archive: buildZip(FILES) },
  'zip with descriptors': { archive: buildZip(FILES.map((entry) => ({ ...entry, descriptor: 'marked' }))) },
  'stored zip': { archive: buildZip(FILES.map((entry) => ({ ...entry, method: 0 }))) },
  tar: { archive: TAR },
  'tar, resealed': { archive: TAR, finish: resealTar },
  'tar.gz': { archive: gzipSync(TAR) },
  'tar.gz, inside': { archive: TAR, finish: (mutant) => gzipSync(resealTar(mutant), { level: 1 }) },
};

/**
 * Inspects mutants of one seed. Fails on anything but a refusal or a tree whose every path is safe; the
 * seed itself must be accepted.
 */
export async function fuzz(
  format: string,
  { mutants, seed }: { mutants: number; seed: number },
): Promise<{ accepted: number; refused: number }> {
  const { archive, finish = (mutant: Buffer) => mutant } = FUZZ_SEEDS[format] ?? { archive: Buffer.alloc(0) };
  const random = seededRandom(seed);
  const count = { accepted: 0, refused: 0 };
  expect((await inspect(finish(archive))).refused).toBeUndefined();
  for (let i = 0; i < mutants; i += 1) {
    const { reviewed, refused } = await inspect(finish(mutate(archive, random)));
    if (reviewed) {
      expectSafe(reviewed);
    } else {
      expect(refused?.message).toMatch(/^[^\p{C}]*$/u);
    }
    count[reviewed ? 'accepted' : 'refused'] += 1;
  }
  return count;
}

function expectSafe({ nodes }: ReviewedTree): void {
  for (const { path } of nodes) {
    expect(path.split('/').every((segment) => !['', '.', '..'].includes(segment))).toBe(true);
    expect(path).toMatch(/^[^\p{C}\\]{1,240}$/u);
  }
  expect(Buffer.concat([...canonicalTarChunks(nodes)])).toHaveLength(canonicalTarBytes(nodes));
}
