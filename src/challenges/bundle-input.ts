import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BundleFile } from '../domain/challenge.ts';
import { suggestFile } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { matchBundleFiles } from './bundle-files.ts';
import { problemAt } from './schema-problems.ts';
import type { SpecYaml } from './spec-yaml.ts';

/** All files for one grader together; they travel to its container. */
const MAX_INPUT_BYTES = 16 * 1024 * 1024;

/** A path or pattern that names files of a bundle, with its place in the YAML. */
export interface NamedFiles {
  pattern: string;
  at: readonly PropertyKey[];
}

/**
 * The files of a bundle that a grader gets, sorted, each once. Adds to the problems what names nothing, and at `place`
 * that they are too large together.
 */
export async function readInput(
  { directory, files, problems }: Pick<Bundle, 'directory' | 'files' | 'problems'>,
  yaml: SpecYaml,
  named: readonly NamedFiles[],
  place: readonly PropertyKey[],
): Promise<BundleFile[]> {
  const names = new Set<string>();
  for (const { pattern, at } of named) {
    const matching = matchBundleFiles(files, pattern);
    if (matching.length === 0) {
      const message = `"${pattern}" matches no file`;
      problems.push(problemAt(yaml, at, message, suggestFile(pattern, files)));
    }
    matching.forEach((name) => names.add(name));
  }
  const contents = await Promise.all(
    [...names].toSorted().map(async (path) => ({ path, content: await readFile(join(directory, path)) })),
  );
  if (contents.reduce((sum, { content }) => sum + content.length, 0) > MAX_INPUT_BYTES) {
    const message = 'the files take more than 16 MiB together';
    problems.push(problemAt(yaml, place, message, 'name fewer or smaller ones'));
  }
  return contents;
}
