import { randomUUID } from 'node:crypto';
import type { Sample } from '../challenges/load-samples.ts';
import type { Challenge } from '../domain/challenge.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import { compareExpectation, narrowExpectation } from './compare-expectation.ts';
import { gradeRun } from './grade-run.ts';
import type { GradedRun, GradeDeps } from './grade-run.ts';
import { planStages } from './plan-stages.ts';
import type { StageSelection } from './plan-stages.ts';
import { decideStartPlan } from './start-plan.ts';

export interface GradedSample extends GradedRun {
  sample: Sample;
  /** Where it differs from its expect.yaml; empty when it does not. */
  differences: string[];
  /** Why it was graded a second time. */
  retried?: string;
}

/**
 * Grades one sample submission of a challenge and compares it with what its author expects. A run that a fault of ours
 * ended is tried once more, as a worker would: it says nothing about the sample.
 */
export async function gradeSample(
  challenge: Challenge,
  sample: Sample,
  submission: CanonicalSubmission,
  deps: GradeDeps,
  signal: AbortSignal,
  {
    selection = { visibleOnly: false },
    seed = randomUUID(),
  }: { selection?: StageSelection; seed?: string } = {},
): Promise<GradedSample> {
  const startPlan = decideStartPlan(submission, challenge.file.build.runtimes);
  const scope = sampleScope(sample);
  function grade(): Promise<GradedRun> {
    const request = {
      runId: randomUUID(),
      epoch: 0,
      seed,
      challenge,
      submission,
      startPlan,
      scope,
      selection,
    };
    return gradeRun(request, deps, signal);
  }
  const first = await grade();
  const fault = faultOfOurs(first);
  const graded = fault === undefined || signal.aborted ? first : await grade();
  const expectation = selection.stages
    ? narrowExpectation(sample.expectation, planStages(challenge, selection), graded.report)
    : sample.expectation;
  const differences = compareExpectation(graded.report, expectation);
  return { ...graded, sample, differences, ...(fault === undefined ? {} : { retried: fault }) };
}

function faultOfOurs({ report: { outcome } }: GradedRun): string | undefined {
  const { failure } = outcome;
  return failure?.blame === 'infra' ? `${failure.code}: ${failure.message}` : undefined;
}

/** Whose build caches a sample uses: its own. */
export function sampleScope(sample: Pick<Sample, 'name'>): string {
  return `sample-${sample.name}`;
}
