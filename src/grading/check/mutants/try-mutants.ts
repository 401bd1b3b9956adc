import { randomUUID } from 'node:crypto';
import { ApiPlanSchema } from '../../../domain/api-suite.ts';
import type { ApiPlan } from '../../../domain/api-suite.ts';
import type { Challenge } from '../../../domain/challenge.ts';
import { InfraError } from '../../../domain/errors.ts';
import {
  MutantOutcomesSchema,
  OUTCOMES_ARTIFACT,
  SEEN_ARTIFACT_PREFIX,
  SeenCheckSchema,
} from '../../../domain/mutation.ts';
import type { MutantOutcome, SeenCheck } from '../../../domain/mutation.ts';
import { runPool } from '../../../shared/run-pool.ts';
import type { StagePlan } from '../../stages/stage-plan.ts';
import type { CheckDeps, OnCheckProgress } from '../check-types.ts';
import { deriveMutants } from './derive-mutants.ts';
import type { Mutant } from './mutant.ts';
import { runMutationSession } from './mutation-pod.ts';
import type { BuiltReference } from './mutation-pod.ts';
import type { OpenApiFacts } from './openapi-facts.ts';
import { clusterPaths } from './operations.ts';

/** What became of every mutant. */
export interface MutationRun {
  mutants: Mutant[];
  outcomes: Map<string, MutantOutcome>;
}

export interface MutationSetting {
  challenge: Challenge;
  reference: BuiltReference;
  /** The api stage of the challenge. */
  stage: StagePlan;
  facts: OpenApiFacts | undefined;
  seed: string;
}

/** Mutants that share the life of a service; what they leave behind makes later ones slower. */
const BATCH = 40;
const SIDE_BY_SIDE = 2;
/** How much longer than without a change a check may take: waiting shows nothing that failing would not. */
const PATIENCE = { factor: 5, plusMs: 8000 };

/**
 * Watches one run of the suites, derives what a service could do wrong in it, and finds out for every such mutant
 * whether a check notices. Suites that want a service of their own are tried for what the others did not notice.
 */
export async function tryMutants(
  setting: MutationSetting,
  deps: CheckDeps,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): Promise<MutationRun> {
  onProgress({ kind: 'begin', part: 'mutants' });
  const plans = setting.stage.tasks
    .filter((task) => task.grader === 'api')
    .map((task) => ApiPlanSchema.parse(task.plan));
  const seen = await runPool(plans, 1, (api) => watch(api, setting, deps, onProgress, signal));
  const checks = seen.flat();
  const templates = setting.facts?.templates ?? clusterPaths(checks);
  const suites = plans.flatMap((plan) => plan.suites);
  const mutants = deriveMutants(checks, templates, setting.facts, suites);
  const limitsMs = Object.fromEntries(
    checks.map(({ id, durationMs }) => [id, durationMs * PATIENCE.factor + PATIENCE.plusMs]),
  );
  const trial: Trial = { setting, deps, templates, limitsMs, signal };
  const outcomes = new Map<string, MutantOutcome>();
  for (const api of plans) {
    const left = mutants.filter((mutant) => isOpen(mutant, outcomes));
    await tryWith(api, left, trial, outcomes, onProgress);
  }
  onProgress({ kind: 'end', part: 'mutants' });
  return { mutants, outcomes };
}

interface Trial {
  setting: MutationSetting;
  deps: CheckDeps;
  templates: readonly string[];
  limitsMs: Record<string, number>;
  signal: AbortSignal;
}

function isOpen(mutant: Mutant, outcomes: ReadonlyMap<string, MutantOutcome>): boolean {
  return mutant.reason === undefined && (outcomes.get(mutant.id)?.killedBy ?? null) === null;
}

/** Tries the mutants on one group of suites, in batches; those that were killed by a doubtful check once more. */
async function tryWith(
  api: ApiPlan,
  mutants: readonly Mutant[],
  trial: Trial,
  outcomes: Map<string, MutantOutcome>,
  onProgress: OnCheckProgress,
): Promise<void> {
  const own = new Set(api.suites.flatMap((suite) => suite.tests.map((test) => test.id)));
  const concerned = mutants
    .map((mutant) => ({ ...mutant, checks: mutant.checks.filter((id) => own.has(id)) }))
    .filter((mutant) => mutant.checks.length > 0);
  const fresh = api.suites.some((suite) => suite.fresh);
  await tryBatches(api, batchesOf(concerned, fresh ? 1 : BATCH), trial, outcomes, onProgress);
  const doubtful = concerned.filter((mutant) => outcomes.get(mutant.id)?.doubtful === true);
  await tryBatches(api, batchesOf(doubtful, 1), trial, outcomes, onProgress);
}

async function tryBatches(
  api: ApiPlan,
  batches: readonly (readonly Mutant[])[],
  { setting, deps, templates, limitsMs, signal }: Trial,
  outcomes: Map<string, MutantOutcome>,
  onProgress: OnCheckProgress,
): Promise<void> {
  const total = batches.flat().length;
  const finished = batches.map(() => 0);
  await runPool(batches, SIDE_BY_SIDE, async (mutants, index) => {
    const artifacts = await runMutationSession(
      setting.challenge,
      setting.reference,
      {
        run: randomUUID(),
        seed: `${setting.seed}/mutants`,
        plan: { api, templates: [...templates], limitsMs, mutants: mutants.map(toPlanned) },
        onProgress: (done, _total, label) => {
          finished[index] = done;
          const all = finished.reduce((sum, count) => sum + count, 0);
          onProgress({ kind: 'step', part: 'mutants', done: all, total, label });
        },
      },
      deps,
      signal,
    );
    const found = artifacts.find(({ name }) => name === OUTCOMES_ARTIFACT);
    if (!found) {
      throw new InfraError('MUTATION_FAILED', 'the mutation grader handed over no outcomes');
    }
    for (const outcome of MutantOutcomesSchema.parse(JSON.parse(found.content.toString('utf8')))) {
      // What other suites have made visible stays visible.
      const applied = outcome.applied || (outcomes.get(outcome.id)?.applied ?? false);
      outcomes.set(outcome.id, { ...outcome, applied });
    }
  });
}

/** Runs every check of a group once through the proxy, unchanged. */
async function watch(
  api: ApiPlan,
  { challenge, reference, seed }: MutationSetting,
  deps: CheckDeps,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): Promise<SeenCheck[]> {
  const artifacts = await runMutationSession(
    challenge,
    reference,
    {
      run: randomUUID(),
      seed: `${seed}/watch`,
      plan: { api, templates: [], limitsMs: {}, mutants: [] },
      onProgress: (done, total, label) =>
        onProgress({ kind: 'step', part: 'mutants', done, total, label: `watching ${label}` }),
    },
    deps,
    signal,
  );
  return artifacts
    .filter(({ name }) => name.startsWith(SEEN_ARTIFACT_PREFIX))
    .map(({ content }) => SeenCheckSchema.parse(JSON.parse(content.toString('utf8'))));
}

function toPlanned({
  id,
  target,
  change,
  checks,
}: Mutant): Pick<Mutant, 'id' | 'target' | 'change' | 'checks'> {
  return { id, target, change, checks };
}

/** Deals them out, so that the slow ones, which stand together, are spread. */
function batchesOf(mutants: readonly Mutant[], size: number): Mutant[][] {
  const count = Math.ceil(mutants.length / size);
  return Array.from({ length: count }, (_, index) => mutants.filter((_one, at) => at % count === index));
}
