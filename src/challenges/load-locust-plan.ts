import type { Challenge } from '../domain/challenge.ts';
import type { SpecProblem } from '../domain/errors.ts';
import { LocustPlanSchema, resolveLocustPlan } from '../domain/locust-plan.ts';
import { matchBundleFiles } from './bundle-files.ts';
import { MAX_INPUT_BYTES, readBundleFiles } from './bundle-input.ts';
import { didYouMean } from './did-you-mean.ts';
import { checkAgainst, problemAt } from './schema-problems.ts';
import type { SpecYaml } from './spec-yaml.ts';

interface LocustBundle {
  directory: string;
  files: readonly string[];
  problems: SpecProblem[];
}

/** Whether a load plan leaves the load to Locust. */
export function isLocustPlan({ value }: SpecYaml): boolean {
  return typeof value === 'object' && value !== null && 'engine' in value && value.engine === 'locust';
}

/** Checks a load plan for Locust and reads the files that it names. Adds what is wrong to `problems`. */
export async function loadLocustPlan(
  { directory, files, problems }: LocustBundle,
  yaml: SpecYaml,
  profile: string | undefined,
): Promise<Challenge['locust']> {
  const file = checkAgainst(LocustPlanSchema, yaml, problems);
  if (!file) {
    return undefined;
  }
  const plan = resolveLocustPlan(yaml.file, file, profile);
  if (!plan) {
    const known = Object.keys(file.profiles).join(', ') || 'there are none';
    problems.push(problemAt(yaml, ['profiles'], `has no profile "${profile}"`, `profiles: ${known}`));
  }
  const names = new Set<string>();
  const patterns = [
    { pattern: file.locustfile, at: ['locustfile'] as PropertyKey[] },
    ...file.files.map((pattern, index) => ({ pattern, at: ['files', index] })),
  ];
  for (const { pattern, at } of patterns) {
    const matching = matchBundleFiles(files, pattern);
    if (matching.length === 0) {
      const near = didYouMean(pattern, files);
      const mend = near ? `did you mean "${near}"?` : 'paths are relative to challenge.yaml';
      problems.push(problemAt(yaml, at, `"${pattern}" matches no file`, mend));
    }
    matching.forEach((name) => names.add(name));
  }
  const contents = await readBundleFiles(directory, names);
  const bytes = contents.reduce((sum, { content }) => sum + content.length, 0);
  if (bytes > MAX_INPUT_BYTES) {
    problems.push(
      problemAt(yaml, ['files'], 'the files take more than 16 MiB together', 'name fewer or smaller ones'),
    );
  }
  return plan && { plan, files: contents };
}
