import { randomUUID } from 'node:crypto';
import type { Sample } from '../../../challenges/load-samples.ts';
import type { Challenge } from '../../../domain/challenge.ts';
import { InfraError } from '../../../domain/errors.ts';
import { buildSubmission } from '../../build-submission.ts';
import { sampleScope } from '../../grade-sample.ts';
import { decideStartPlan } from '../../start-plan.ts';
import type { CheckDeps } from '../check-types.ts';
import type { BuiltReference } from './mutation-pod.ts';

/** The image of a reference that was graded before; it comes from the cache. */
export async function buildReference(
  challenge: Challenge,
  sample: Sample,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<BuiltReference> {
  const submission = await deps.inspect(sample.directory, signal);
  const plan = decideStartPlan(submission, challenge.file.build.runtimes);
  const { limits, network } = challenge.file.build;
  const outcome = await buildSubmission(
    deps.engine,
    {
      submission,
      plan,
      network,
      registries: plan.install === null ? '' : await deps.registriesDigest(signal),
      limits: {
        cpus: limits.cpus,
        memoryBytes: limits.memory,
        pids: limits.pids,
        diskBytes: limits.disk,
        wallMs: limits.wall,
      },
      scope: sampleScope(sample),
      run: { run: randomUUID(), epoch: 0 },
    },
    signal,
  );
  if (!outcome.ok) {
    throw new InfraError('MUTATION_FAILED', `${sample.name} was built before and does not build now`);
  }
  return { name: sample.name, image: outcome.image, start: plan.start };
}
