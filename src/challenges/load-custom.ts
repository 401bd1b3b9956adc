import type { OwnGrader } from '../domain/challenge.ts';
import { suggestFile } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { matchBundleFiles } from './bundle-files.ts';
import { MAX_INPUT_BYTES, readBundleFiles } from './bundle-input.ts';
import { problemAt } from './schema-problems.ts';

/** The graders of the custom stage with the files that they name. Adds what is wrong to the bundle's problems. */
export async function loadCustom(bundle: Bundle): Promise<OwnGrader[] | undefined> {
  const graders = bundle.file.stages.custom?.graders;
  return graders && (await Promise.all(graders.map((_, index) => loadOne(bundle, graders, index)))).flat();
}

async function loadOne(
  { directory, files, file, yaml, problems }: Bundle,
  graders: NonNullable<Bundle['file']['stages']['custom']>['graders'],
  index: number,
): Promise<OwnGrader[]> {
  const grader = graders[index];
  if (!grader) {
    return [];
  }
  const at = ['stages', 'custom', 'graders', index];
  const { wall } = file.service.limits;
  if (grader.deadline > wall) {
    const message = `the grader may take ${grader.deadline / 1000} s, but its service is ended after ${wall / 1000} s`;
    problems.push(
      problemAt(yaml, [...at, 'deadline'], message, 'lower the deadline, or raise service.limits.wall'),
    );
  }
  const place = [...at, 'files'];
  const names = new Set<string>();
  for (const [nth, pattern] of grader.files.entries()) {
    const matching = matchBundleFiles(files, pattern);
    if (matching.length === 0) {
      problems.push(
        problemAt(yaml, [...place, nth], `"${pattern}" matches no file`, suggestFile(pattern, files)),
      );
    }
    const open = matching.find((name) => !name.startsWith('hidden/'));
    if (open !== undefined) {
      const mend = 'move it below hidden/: what grading depends on is part of the version';
      problems.push(problemAt(yaml, [...place, nth], `"${open}" is not below hidden/`, mend));
    }
    matching.forEach((name) => names.add(name));
  }
  const contents = await readBundleFiles(directory, names);
  if (contents.reduce((sum, { content }) => sum + content.length, 0) > MAX_INPUT_BYTES) {
    const mend = 'name fewer or smaller ones, or put them into the image';
    problems.push(problemAt(yaml, place, 'the files take more than 16 MiB together', mend));
  }
  return [{ ...grader, files: contents }];
}
