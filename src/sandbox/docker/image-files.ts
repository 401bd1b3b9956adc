import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';

/** A file of a build context; `path` is relative to its root, with "/" between names. */
export interface ContextFile {
  path: string;
  content: Buffer;
}

/** What generated files need from the host. */
export interface ContextHost {
  /** The folder that holds docker/, graders/ and src/. */
  root: string;
  /** Where fetched archives are kept. */
  cacheDir: string;
  /** Environment of the package client. */
  childEnv: Readonly<Record<string, string | undefined>>;
}

/** All regular files below a folder, sorted by path. */
export async function readTree(dir: string): Promise<ContextFile[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(dir, path).split(sep).join('/'),
      content: await readFile(path),
    })),
  );
}
