import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { SpecProblem } from '../domain/errors.ts';

/**
 * All files of a bundle as sorted paths with "/" below `directory`. Links and devices are problems: a bundle is
 * named by the digest of its content, and a link points outside of it.
 */
export async function listBundleFiles(directory: string, problems: SpecProblem[]): Promise<string[]> {
  const files: string[] = [];
  const pending = [''];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of await readdir(path.join(directory, folder), { withFileTypes: true })) {
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        pending.push(name);
      } else if (entry.isFile()) {
        files.push(name);
      } else {
        problems.push({
          file: name,
          message: 'is neither a regular file nor a folder',
          mend: 'put a copy of the file there',
        });
      }
    }
  }
  return files.toSorted(compareBytes);
}

/** Files of `files` that `pattern` names: "*" stands for any characters but "/", "**" for any folders. */
export function matchBundleFiles(files: readonly string[], pattern: string): string[] {
  const source = pattern
    .split('/')
    .map((part) =>
      part === '**' ? '**' : part.replaceAll(/[.+]/g, String.raw`\$&`).replaceAll(/\*+/g, '[^/]*'),
    )
    .join('/')
    .replaceAll('**/', '(?:[^/]+/)*')
    .replaceAll('**', '.*');
  const expression = new RegExp(`^${source}$`);
  return files.filter((file) => expression.test(file));
}

/** Plain code-unit order: the same on every machine, unlike the locale's. */
function compareBytes(a: string, b: string): number {
  if (a === b) {
    return 0;
  }
  return a < b ? -1 : 1;
}
