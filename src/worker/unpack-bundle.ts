import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InfraError } from '../domain/errors.ts';
import { readTar } from '../shared/tar-buffer.ts';

const LEFTOVER_MS = 24 * 3_600_000;

/** Writes a challenge bundle into a fresh folder below `workDir` and answers its path. Remove it after use. */
export async function unpackBundle(workDir: string, tar: Buffer): Promise<string> {
  await mkdir(workDir, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(workDir, 'bundle-'));
  for (const entry of readTar(tar)) {
    // The tar is ours, made of checked names; what breaks that promise must still not leave the folder.
    if (entry.path.startsWith('/') || entry.path.split('/').includes('..')) {
      throw new InfraError('BUNDLE_DAMAGED', 'a stored challenge bundle names a file outside of itself');
    }
    const path = join(folder, entry.path);
    if (entry.type === 'directory') {
      await mkdir(path, { recursive: true });
    } else {
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, entry.content, { flag: 'wx', mode: entry.executable ? 0o755 : 0o644 });
    }
  }
  return folder;
}

/** Removes folders that a death has left, long ago: other workers may use younger ones. */
export async function dropOldBundles(workDir: string): Promise<void> {
  const names = await readdir(workDir).catch(() => []);
  for (const name of names) {
    const path = join(workDir, name);
    const found = await stat(path).catch(() => undefined);
    if (found && new Date().getTime() - found.mtimeMs > LEFTOVER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}
