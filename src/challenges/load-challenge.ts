import { stat } from 'node:fs/promises';
import { API_SUITE_KEYS, ApiSuiteSchema, checkIds, resolveSuite } from '../domain/api-suite.ts';
import type { ApiSuite } from '../domain/api-suite.ts';
import { ChallengeFileSchema } from '../domain/challenge.ts';
import type { Challenge } from '../domain/challenge.ts';
import type { ContractPlan } from '../domain/contract-plan.ts';
import { SpecError } from '../domain/errors.ts';
import type { SpecProblem } from '../domain/errors.ts';
import {
  loadCheckIds,
  LoadPlanSchema,
  loadTestMs,
  resolveLoadPlan,
  withProfile,
} from '../domain/load-plan.ts';
import type { LoadPlan } from '../domain/load-plan.ts';
import { formatMs } from '../domain/units.ts';
import { suggestFile } from './bundle.ts';
import type { Bundle } from './bundle.ts';
import { bundleDigest } from './bundle-digest.ts';
import { listBundleFiles, matchBundleFiles } from './bundle-files.ts';
import { loadCode } from './load-code.ts';
import { loadContract } from './load-contract.ts';
import { loadCustom } from './load-custom.ts';
import { isLocustPlan, loadLocustPlan } from './load-locust-plan.ts';
import { checkAgainst, problemAt } from './schema-problems.ts';
import { readSpecYaml } from './spec-yaml.ts';
import type { SpecYaml } from './spec-yaml.ts';

export interface LoadChallengeOptions {
  /** Name of a shape under the load plan's `profiles`; its own shape when absent. */
  profile?: string;
}

/**
 * Reads and checks the challenge bundle in `directory`. Throws a `SpecError` that lists every mistake found, each
 * with file, line, path and the mend.
 */
export async function loadChallenge(
  directory: string,
  options: LoadChallengeOptions = {},
): Promise<Challenge> {
  const problems: SpecProblem[] = [];
  const bundle = await openBundle(directory, problems);
  const suites = bundle ? await loadSuites(bundle, 'api') : [];
  const resilience = bundle ? await loadSuites(bundle, 'resilience') : [];
  const contract = bundle ? await loadContract(bundle) : undefined;
  const loads = bundle ? await loadLoad(bundle, options.profile) : {};
  const custom = bundle ? await loadCustom(bundle) : undefined;
  reportRepeatedIds([...suites, ...resilience], contract, loads.load ?? loads.locust?.plan, custom, problems);
  if (!bundle || problems.length > 0) {
    throw new SpecError(problems);
  }
  const digest = await bundleDigest(directory, bundle.files);
  const { file } = bundle;
  return { file, digest, directory, suites, contract, resilience, load: undefined, ...loads, custom };
}

/** The suites with only those checks that candidates may see; suites without any are left out. */
export function visibleSuites(suites: readonly ApiSuite[]): ApiSuite[] {
  return suites
    .map((suite) => ({ ...suite, tests: suite.tests.filter((test) => test.visibility === 'visible') }))
    .filter((suite) => suite.tests.length > 0);
}

/** The ids of all checks of a challenge in the order of its stages. */
export function challengeCheckIds(
  challenge: Pick<Challenge, 'suites' | 'contract' | 'resilience' | 'load' | 'locust' | 'custom'>,
): string[] {
  const plan = challenge.load ?? challenge.locust?.plan;
  return [
    ...challenge.suites.flatMap(checkIds),
    ...(challenge.contract?.checks ?? []).map(({ id }) => id),
    ...challenge.resilience.flatMap(checkIds),
    ...(challenge.custom ?? []).flatMap(({ checks }) => checks.map(({ id }) => id)),
    ...(plan ? loadCheckIds(plan) : []),
  ];
}

async function openBundle(directory: string, problems: SpecProblem[]): Promise<Bundle | undefined> {
  const folder = await stat(directory).catch(() => undefined);
  if (!folder?.isDirectory()) {
    const mend = 'name the folder that holds challenge.yaml';
    problems.push({ file: directory, message: 'is not a folder', mend });
    return undefined;
  }
  const files = await listBundleFiles(directory, problems);
  if (!files.includes('challenge.yaml')) {
    const mend = `name the folder that holds it; looked in ${directory}`;
    problems.push({ file: 'challenge.yaml', message: 'does not exist', mend });
    return undefined;
  }
  const yaml = await readSpecYaml(directory, 'challenge.yaml', problems);
  const file = yaml && checkAgainst(ChallengeFileSchema, yaml, problems);
  return yaml && file ? { directory, files, yaml, file, problems } : undefined;
}

async function loadSuites(bundle: Bundle, stage: 'api' | 'resilience'): Promise<ApiSuite[]> {
  const { directory, files, yaml, problems } = bundle;
  const names = new Set<string>();
  for (const [index, pattern] of (bundle.file.stages[stage]?.suites ?? []).entries()) {
    const matching = matchBundleFiles(files, pattern);
    if (matching.length === 0) {
      const place = ['stages', stage, 'suites', index];
      problems.push(problemAt(yaml, place, `"${pattern}" matches no file`, suggestFile(pattern, files)));
    }
    matching.forEach((name) => names.add(name));
  }
  const suites: ApiSuite[] = [];
  for (const name of names) {
    const suiteYaml = await readSpecYaml(directory, name, problems);
    const suite = suiteYaml && checkAgainst(ApiSuiteSchema, suiteYaml, problems, API_SUITE_KEYS);
    if (suite) {
      const resolved = resolveSuite(name, suite);
      await loadCode(resolved, bundle, suiteYaml);
      suites.push(resolved);
    }
  }
  return suites;
}

/** The load plan, for whichever generator it is meant. */
async function loadLoad(
  bundle: Bundle,
  profile: string | undefined,
): Promise<{ load?: LoadPlan | undefined; locust?: Challenge['locust'] }> {
  const yaml = await readPlan(bundle);
  if (!yaml) {
    return {};
  }
  return isLocustPlan(yaml)
    ? { locust: await loadLocustPlan(bundle, yaml, profile) }
    : { load: loadPlan(bundle, yaml, profile) };
}

async function readPlan({ directory, files, yaml, file, problems }: Bundle): Promise<SpecYaml | undefined> {
  const name = file.stages.load?.plan;
  if (name === undefined) {
    return undefined;
  }
  if (!files.includes(name)) {
    const message = `there is no file "${name}"`;
    problems.push(problemAt(yaml, ['stages', 'load', 'plan'], message, suggestFile(name, files)));
    return undefined;
  }
  return await readSpecYaml(directory, name, problems);
}

function loadPlan(bundle: Bundle, yaml: SpecYaml, profile: string | undefined): LoadPlan | undefined {
  const { problems } = bundle;
  const file = checkAgainst(LoadPlanSchema, yaml, problems);
  const plan = file && resolveLoadPlan(yaml.file, file);
  const chosen = plan && chooseProfile(plan, yaml, profile, problems);
  const { wall } = bundle.file.service.limits;
  if (chosen && loadTestMs(chosen) > wall) {
    const message = `the test may take ${formatMs(loadTestMs(chosen))}, but its service is ended after ${formatMs(wall)}`;
    problems.push(problemAt(yaml, ['shape'], message, 'shorten it, or raise service.limits.wall'));
  }
  return chosen;
}

function chooseProfile(
  plan: LoadPlan,
  yaml: SpecYaml,
  profile: string | undefined,
  problems: SpecProblem[],
): LoadPlan | undefined {
  if (profile === undefined) {
    return plan;
  }
  const chosen = withProfile(plan, profile);
  if (!chosen) {
    const known = Object.keys(plan.profiles).join(', ') || 'there are none';
    const mend = `profiles: ${known}`;
    problems.push(problemAt(yaml, ['profiles'], `has no profile "${profile}"`, mend));
  }
  return chosen;
}

function reportRepeatedIds(
  suites: readonly ApiSuite[],
  contract: ContractPlan | undefined,
  load: Pick<LoadPlan, 'file' | 'thresholds'> | undefined,
  custom: Challenge['custom'],
  problems: SpecProblem[],
): void {
  const claims = [
    ...suites.flatMap((suite) => suite.tests.map(({ id, at }) => ({ id, file: suite.file, path: at }))),
    ...(contract?.checks ?? []).map(({ id, operation }) => ({
      id,
      file: contract?.file ?? '',
      path: `operation ${operation}`,
    })),
    ...(load?.thresholds ?? []).map(({ id }, index) => ({
      id,
      file: load?.file ?? '',
      path: `thresholds[${index}]`,
    })),
    ...(custom ?? []).flatMap(({ checks }, grader) =>
      checks.map(({ id }, index) => ({
        id,
        file: 'challenge.yaml',
        path: `stages.custom.graders[${grader}].checks[${index}]`,
      })),
    ),
  ];
  const owners = new Map<string, string>();
  for (const { id, file, path } of claims) {
    const owner = owners.get(id);
    if (owner === undefined) {
      owners.set(id, `${file} ${path}`);
    } else {
      const message = `the check id "${id}" is taken by ${owner}`;
      problems.push({ file, path, message, mend: 'give one of the two another "id"' });
    }
  }
}
