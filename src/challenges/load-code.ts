import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ApiSuite } from '../domain/api-suite.ts';
import type { SpecProblem } from '../domain/errors.ts';
import { didYouMean } from './did-you-mean.ts';
import { problemAt } from './schema-problems.ts';
import type { SpecYaml } from './spec-yaml.ts';

/** What a file of tests may need besides itself. */
const MAX_CODE_BYTES = 8 * 1024 * 1024;

/**
 * Adds to a suite with `code` the files that its grader gets: all in the suite's folder and below, but for YAML. A file
 * that is not there, and files that are too many, are problems.
 */
export async function loadCode(
  suite: ApiSuite,
  bundle: { directory: string; files: readonly string[]; problems: SpecProblem[] },
  yaml: SpecYaml,
): Promise<void> {
  const { directory, files, problems } = bundle;
  if (!suite.code) {
    return;
  }
  if (!files.includes(suite.code.file)) {
    const near = didYouMean(suite.code.file, files);
    const mend = near ? `did you mean "${near}"?` : 'its path is relative to the suite';
    problems.push(problemAt(yaml, ['code'], `there is no file "${suite.code.file}"`, mend));
    return;
  }
  const folder = suite.file.slice(0, suite.file.lastIndexOf('/') + 1);
  const names = files.filter((name) => name.startsWith(folder) && !/\.ya?ml$/.test(name));
  let bytes = 0;
  for (const name of names) {
    const content = await readFile(path.join(directory, name));
    bytes += content.length;
    suite.code.files.push({ path: name, content });
  }
  if (bytes > MAX_CODE_BYTES) {
    const message = `the files of ${folder || 'the bundle'} come to ${bytes} bytes, more than ${MAX_CODE_BYTES}`;
    problems.push(problemAt(yaml, ['code'], message, 'keep code suites in a folder of their own'));
  }
}
