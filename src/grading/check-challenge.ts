import { loadSamples } from '../challenges/load-samples.ts';
import type { Sample } from '../challenges/load-samples.ts';
import type { Challenge } from '../domain/challenge.ts';
import type { CheckReport } from '../domain/check-report.ts';
import { InfraError } from '../domain/errors.ts';
import type { CheckDeps, CheckOptions, OnCheckProgress } from './check/check-types.ts';
import { judgeTurns } from './check/judge-turns.ts';
import { mutate, noMutation } from './check/mutants/mutate.ts';
import { refusalsOf } from './check/refusals.ts';
import { gradeTurns, planTurns } from './check/sample-gradings.ts';
import { planStages } from './plan-stages.ts';
import type { StagePlan } from './stages/stage-plan.ts';

/**
 * Finds out whether a challenge's spec can be trusted: every reference scores in full each time, every broken sample
 * loses what its expect.yaml names and nothing else, and the suites notice when a reference's answers are changed.
 * Throws SpecError for a wrong bundle, `NO_STAGE`, the signal's reason, and our own failures; what the samples do is
 * in the report.
 */
export async function checkChallenge(
  challenge: Challenge,
  deps: CheckDeps,
  options: CheckOptions,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): Promise<CheckReport> {
  const beganMs = deps.clock.elapsedMs();
  const samples = await loadSamples(challenge);
  const selection = { visibleOnly: false, ...(options.stages ? { stages: options.stages } : {}) };
  const plans = planStages(challenge, selection);
  const stages = plans.map((plan) => plan.name);
  const turns = planTurns(samples, stages, options.repeat ?? {});
  const outcomes = await gradeTurns(challenge, turns, options.seed, deps, onProgress, signal);
  const checkIds = plans.flatMap((plan) => plan.checks.map((check) => check.id));
  const findings = judgeTurns(outcomes, checkIds);
  const refusals = refusalsOf(findings);
  const passing = findings.references.find((reference) => reference.ok && reference.inFull > 0);
  const mutation = await mutateIfPossible(
    challenge,
    { sample: samples.find(({ name }) => name === passing?.name), plans, options },
    deps,
    onProgress,
    signal,
  );
  const trouble = [...findings.trouble, ...mutation.trouble];
  return {
    ok: refusals.length === 0 && trouble.length === 0,
    challenge: { slug: challenge.file.slug, digest: challenge.digest },
    stages,
    durationMs: Math.round(deps.clock.elapsedMs() - beganMs),
    ...findings,
    mutation: mutation.result,
    trouble,
    refusals,
  };
}

async function mutateIfPossible(
  challenge: Challenge,
  {
    sample,
    plans,
    options,
  }: { sample: Sample | undefined; plans: readonly StagePlan[]; options: CheckOptions },
  deps: CheckDeps,
  onProgress: OnCheckProgress,
  signal: AbortSignal,
): ReturnType<typeof mutate> {
  const stage = plans.find((plan) => plan.name === 'api');
  if (!options.mutants) {
    return noMutation('They were left out.');
  }
  if (!stage) {
    return noMutation('They are tried on the api stage, which is not part of this check.');
  }
  if (!sample) {
    return noMutation('They need a reference that passes every time.');
  }
  try {
    return await mutate(challenge, { sample, stage, seed: options.seed }, deps, onProgress, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof InfraError)) {
      throw error;
    }
    // The gradings took long; what they showed is worth keeping.
    return { ...noMutation('They could not be tried to the end.'), trouble: [error.message] };
  }
}
