import type { Challenge } from '../domain/challenge.ts';
import { LocustPlanSchema, resolveLocustPlan } from '../domain/locust-plan.ts';
import type { Bundle } from './bundle.ts';
import { readInput } from './bundle-input.ts';
import { checkAgainst, problemAt } from './schema-problems.ts';
import type { SpecYaml } from './spec-yaml.ts';

/** Whether a load plan leaves the load to Locust. */
export function isLocustPlan({ value }: SpecYaml): boolean {
  return typeof value === 'object' && value !== null && 'engine' in value && value.engine === 'locust';
}

/** Checks a load plan for Locust and reads the files that it names. Adds what is wrong to `problems`. */
export async function loadLocustPlan(
  bundle: Pick<Bundle, 'directory' | 'files' | 'problems'>,
  yaml: SpecYaml,
  profile: string | undefined,
): Promise<Challenge['locust']> {
  const { problems } = bundle;
  const file = checkAgainst(LocustPlanSchema, yaml, problems);
  if (!file) {
    return undefined;
  }
  const plan = resolveLocustPlan(yaml.file, file, profile);
  if (!plan) {
    const known = Object.keys(file.profiles).join(', ') || 'there are none';
    problems.push(problemAt(yaml, ['profiles'], `has no profile "${profile}"`, `profiles: ${known}`));
  }
  const named = [
    { pattern: file.locustfile, at: ['locustfile'] },
    ...file.files.map((pattern, index) => ({ pattern, at: ['files', index] })),
  ];
  const contents = await readInput(bundle, yaml, named, ['files']);
  return plan && { plan, files: contents };
}
