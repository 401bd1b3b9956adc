import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Removes files and folders directly below `folder` that nobody has changed for `maxAgeMs`: a death has left them.
 * Younger ones may be at work, also another process's. Answers how many went; a folder that is not there has none.
 */
export async function dropOld(folder: string, maxAgeMs: number): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  let dropped = 0;
  for (const name of names) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && new Date().getTime() - found.mtimeMs > maxAgeMs) {
      await rm(path, { recursive: true, force: true });
      dropped += 1;
    }
  }
  return dropped;
}
