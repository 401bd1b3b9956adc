import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InfraError } from '../domain/errors.ts';
import { diskError } from '../domain/disk-error.ts';
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
 * Writes the files into a fresh folder below `parent` that only this user can read, and hands it to `use`; the folder
 * is gone when this settles. The names have passed intake; throws InfraError `BUNDLE_DAMAGED` where one leaves the
 * folder all the same, and `BLOB_FULL` or `BLOB_FAILED` when the disk does not take it.
 */
export async function withUnpackedBundle<T>(
  parent: string,
  entries: readonly TarEntry[],
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await makeFolder(parent).catch(onDisk);
  try {
    for (const entry of entries) {
      await writeEntry(directory, entry).catch(onDisk);
    }
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function makeFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return await mkdtemp(join(parent, 'bundle-'));
}

function onDisk(error: unknown): never {
  throw diskError(error);
}

async function writeEntry(directory: string, { path, type, content, executable }: TarEntry): Promise<void> {
  if (path.startsWith('/') || path.split('/').includes('..')) {
    throw new InfraError('BUNDLE_DAMAGED', 'a challenge bundle names a file outside of itself');
  }
  const target = join(directory, path);
  await mkdir(type === 'directory' ? target : dirname(target), { recursive: true, mode: 0o700 });
  if (type === 'file') {
    await writeFile(target, content, { flag: 'wx', mode: executable ? 0o700 : 0o600 });
  }
}
