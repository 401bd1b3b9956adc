import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFile } from '../domain/challenge.ts';

/** All files for one grader together; they travel to its container. */
export const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/** Reads files of a bundle as they go to a grader, in order. */
export async function readBundleFiles(directory: string, names: Iterable<string>): Promise<BundleFile[]> {
  return await Promise.all(
    [...names].toSorted().map(async (path) => ({ path, content: await readFile(join(directory, path)) })),
  );
}
