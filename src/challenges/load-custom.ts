import type { ChallengeFile, OwnGrader } from '../domain/challenge.ts';
import type { Bundle } from './bundle.ts';
import { readInput } from './bundle-input.ts';
import { problemAt } from './schema-problems.ts';

type Described = NonNullable<ChallengeFile['stages']['custom']>['graders'][number];

/** The graders of the custom stage with the files that they name. Adds what is wrong to the bundle's problems. */
export async function loadCustom(bundle: Bundle): Promise<OwnGrader[] | undefined> {
  const graders = bundle.file.stages.custom?.graders;
  return graders && (await Promise.all(graders.map((grader, index) => loadOne(bundle, grader, index))));
}

async function loadOne(bundle: Bundle, grader: Described, index: number): Promise<OwnGrader> {
  const { file, yaml, problems } = bundle;
  const at = ['stages', 'custom', 'graders', index];
  const { wall } = file.service.limits;
  if (grader.deadline > wall) {
    const message = `the grader may take ${grader.deadline / 1000} s, but its service is ended after ${wall / 1000} s`;
    const mend = 'lower the deadline, or raise service.limits.wall';
    problems.push(problemAt(yaml, [...at, 'deadline'], message, mend));
  }
  const place = [...at, 'files'];
  const named = grader.files.map((pattern, nth) => ({ pattern, at: [...place, nth] }));
  const files = await readInput(bundle, yaml, named, place);
  const open = files.find(({ path }) => !path.startsWith('hidden/'));
  if (open) {
    const mend = 'move it below hidden/: what grading depends on is part of the version';
    problems.push(problemAt(yaml, place, `"${open.path}" is not below hidden/`, mend));
  }
  return { ...grader, files };
}
