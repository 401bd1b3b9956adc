import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readTar } from '../shared/tar-buffer.ts';
import type { TarEntry } from '../shared/tar-buffer.ts';

/** The files of a bundle that was packed by us. When a single folder was packed, what is in it. */
export function bundleEntries(tar: Buffer): TarEntry[] {
  const entries = readTar(tar);
  if (entries.some(({ path }) => path === 'challenge.yaml')) {
    return entries;
  }
  const tops = new Set(entries.map(({ path }) => path.split('/', 1)[0]));
  const [top] = tops;
  if (tops.size !== 1 || top === undefined) {
    return entries;
  }
  return entries
    .filter(({ path }) => path.startsWith(`${top}/`))
    .map((entry) => ({ ...entry, path: entry.path.slice(top.length + 1) }));
}

/**
 * Writes the files into a fresh folder that only this user can read, and hands it to `use`; the folder is gone when
 * this settles. The names must have passed intake: regular files and folders, no links, nothing that leaves the folder.
 */
export async function withUnpackedBundle<T>(
  entries: readonly TarEntry[],
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'assay-bundle-'));
  try {
    for (const { path, type, content } of entries) {
      const target = join(directory, path);
      await mkdir(type === 'directory' ? target : dirname(target), { recursive: true, mode: 0o700 });
      if (type === 'file') {
        await writeFile(target, content, { flag: 'wx', mode: 0o600 });
      }
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
