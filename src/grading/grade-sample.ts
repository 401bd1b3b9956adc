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
}

/** Grades one sample submission of a challenge and compares it with what its author expects. */
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
  const graded = await gradeRun(
    {
      runId: randomUUID(),
      epoch: 0,
      seed,
      challenge,
      submission,
      startPlan,
      scope: sampleScope(sample),
      selection,
    },
    deps,
    signal,
  );
  const expectation = selection.stages
    ? narrowExpectation(sample.expectation, planStages(challenge, selection), graded.report)
    : sample.expectation;
  return { ...graded, sample, differences: compareExpectation(graded.report, expectation) };
}

/** Whose build caches a sample uses: its own. */
export function sampleScope(sample: Pick<Sample, 'name'>): string {
  return `sample-${sample.name}`;
}
