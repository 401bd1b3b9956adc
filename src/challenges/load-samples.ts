import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { ExpectationSchema } from '../domain/challenge.ts';
import type { Challenge, Expectation } from '../domain/challenge.ts';
import { SpecError } from '../domain/errors.ts';
import type { SpecProblem } from '../domain/errors.ts';
import { didYouMean } from './did-you-mean.ts';
import { challengeCheckIds } from './load-challenge.ts';
import { checkAgainst, problemAt } from './schema-problems.ts';
import { readSpecYaml } from './spec-yaml.ts';
import type { SpecYaml } from './spec-yaml.ts';

/** A submission that comes with a challenge, and what grading it must find. */
export interface Sample {
  /** Name of its folder: "reference-node", "broken-memory-only". */
  name: string;
  /** The folder to hand in. expect.yaml in it is not part of the submission. */
  directory: string;
  /** It must score in full. */
  reference: boolean;
  expectation: Expectation;
}

const REFERENCE: Expectation = { verdict: 'passed', loses: [], mayLose: [] };

/**
 * Lists `submissions/*` of a challenge by name. Folders named `reference…` without an expect.yaml must pass and lose
 * nothing; every other folder needs one. Throws a `SpecError` with every mistake, ids that no check has included.
 */
export async function loadSamples(challenge: Challenge): Promise<Sample[]> {
  const problems: SpecProblem[] = [];
  const root = path.join(challenge.directory, 'submissions');
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const samples: Sample[] = [];
  for (const name of names.toSorted()) {
    const expectation = await loadExpectation(challenge, name, problems);
    if (expectation) {
      const reference = name.startsWith('reference');
      samples.push({ name, directory: path.join(root, name), reference, expectation });
    }
  }
  if (problems.length > 0) {
    throw new SpecError(problems);
  }
  return samples;
}

async function loadExpectation(
  challenge: Challenge,
  name: string,
  problems: SpecProblem[],
): Promise<Expectation | undefined> {
  const folder = `submissions/${name}`;
  const file = `${folder}/expect.yaml`;
  const inside = await readdir(path.join(challenge.directory, folder));
  if (!inside.includes('expect.yaml')) {
    if (name.startsWith('reference')) {
      return REFERENCE;
    }
    const mend = 'say what this submission must lose, or name the folder reference-…';
    problems.push({ file, message: 'does not exist', mend });
    return undefined;
  }
  const yaml = await readSpecYaml(challenge.directory, file, problems);
  const expectation = yaml && checkAgainst(ExpectationSchema, yaml, problems);
  if (expectation) {
    checkIdsExist(challengeCheckIds(challenge), yaml, expectation, problems);
  }
  return expectation;
}

function checkIdsExist(
  known: readonly string[],
  yaml: SpecYaml,
  expectation: Expectation,
  problems: SpecProblem[],
): void {
  for (const key of ['loses', 'mayLose'] as const) {
    for (const [index, id] of expectation[key].entries()) {
      if (!known.includes(id)) {
        const near = didYouMean(id, known);
        const mend = near ? `did you mean "${near}"?` : 'check ids are <suite file>/<slug of the name>';
        problems.push(problemAt(yaml, [key, index], `no check has the id "${id}"`, mend));
      }
    }
  }
  for (const [index, id] of expectation.mayLose.entries()) {
    if (expectation.loses.includes(id)) {
      const message = `"${id}" stands under loses too`;
      problems.push(
        problemAt(yaml, ['mayLose', index], message, 'a check is lost for certain or perhaps, not both'),
      );
    }
  }
}
