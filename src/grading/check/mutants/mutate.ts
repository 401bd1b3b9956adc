import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { Sample } from '../../../challenges/load-samples.ts';
import type { Challenge } from '../../../domain/challenge.ts';
import type { CheckReport } from '../../../domain/check-report.ts';
import type { StagePlan } from '../../stages/stage-plan.ts';
import type { CheckDeps, OnCheckProgress } from '../check-types.ts';
import { buildReference } from './build-reference.ts';
import { doubtsOf, mutationResult } from './mutation-result.ts';
import { openApiFacts } from './openapi-facts.ts';
import type { OpenApiFacts } from './openapi-facts.ts';
import { tryMutants } from './try-mutants.ts';

interface Mutation {
  result: CheckReport['mutation'];
  /** What could not be found out, one sentence each. */
  trouble: string[];
}

/** Nothing was tried, and why. */
export function noMutation(skipped: string): Mutation {
  const none = { killed: 0, total: 0, survivors: [], meaningless: [] };
  return { result: { ...none, reference: null, skipped, durationMs: 0 }, trouble: [] };
}

/** Makes mutants of a reference that passes, and reports which of them the api suites do not notice. */
export async function mutate(
  challenge: Challenge,
  { sample, stage, seed }: { sample: Sample; stage: StagePlan; seed: string },
  deps: CheckDeps,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): Promise<Mutation> {
  const beganMs = deps.clock.elapsedMs();
  const reference = await buildReference(challenge, sample, deps, signal);
  const facts = await readFacts(challenge);
  const { mutants, outcomes } = await tryMutants(
    { challenge, reference, stage, facts, seed },
    deps,
    onProgress,
    signal,
  );
  const durationMs = Math.round(deps.clock.elapsedMs() - beganMs);
  return {
    result: { ...mutationResult(mutants, outcomes), reference: sample.name, durationMs },
    trouble: doubtsOf(outcomes),
  };
}

/** Of the bundle's OpenAPI document, where it has one that is readable; else traffic alone has to do. */
async function readFacts(challenge: Challenge): Promise<OpenApiFacts | undefined> {
  try {
    return openApiFacts(parse(await readFile(join(challenge.directory, 'openapi.yaml'), 'utf8')));
  } catch {
    return undefined;
  }
}
