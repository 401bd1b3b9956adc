import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LEFTOVER_MS = 24 * 3_600_000;

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
