import type { Challenge } from '../../../domain/challenge.ts';
import { InfraError } from '../../../domain/errors.ts';
import type { MutationPlan } from '../../../domain/mutation.ts';
import type { ImageId } from '../../../sandbox/sandbox-engine.ts';
import type { Artifact } from '../../grader-session.ts';
import { runStage } from '../../run-stage.ts';
import type { CheckDeps, InTurn } from '../check-types.ts';
import { atOnce } from '../sample-gradings.ts';

/** The reference that mutants are made of, ready to start. */
export interface BuiltReference {
  name: string;
  image: ImageId;
  start: readonly string[];
}

/** One session of the mutation grader. */
export interface MutationSession {
  run: string;
  seed: string;
  plan: MutationPlan;
  onProgress: (done: number, total: number, label: string) => void;
}

/**
 * Runs the mutation grader once against a new service with empty data, in a pod of its own. Throws InfraError
 * `MUTATION_FAILED`: the reference has passed the same checks before, so that what breaks here is ours.
 */
export async function runMutationSession(
  challenge: Challenge,
  reference: BuiltReference,
  session: MutationSession,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<Artifact[]> {
  const inTurn: InTurn = deps.inTurn ?? atOnce;
  return await inTurn(async () => {
    const leave = await deps.gate?.enter(false, signal);
    try {
      return await runInPod(challenge, reference, session, deps, signal);
    } finally {
      leave?.();
    }
  }, signal);
}

async function runInPod(
  challenge: Challenge,
  reference: BuiltReference,
  { run, seed, plan, onProgress }: MutationSession,
  deps: CheckDeps,
  signal: AbortSignal,
): Promise<Artifact[]> {
  const { service } = challenge.file;
  const { cpus } = await deps.engine.facts(signal);
  const pod = await deps.engine.openPod({ run, epoch: 0 }, signal);
  try {
    const task = { grader: 'mutation', plan, deadlineMs: service.limits.wall };
    const outcome = await runStage(
      { name: 'api', weight: 1, exclusive: false, checks: [], tasks: [task] },
      {
        engine: deps.engine,
        ownImages: new Map(),
        pod,
        image: reference.image,
        start: reference.start,
        service,
        seed,
        clock: deps.clock,
        cpus,
        loadGrader: deps.loadGrader,
        onProgress: (event) => {
          if (event.kind === 'progress') {
            onProgress(event.done, event.total, event.label);
          }
        },
      },
      signal,
    );
    const { failure } = outcome.facts;
    if (failure) {
      throw new InfraError('MUTATION_FAILED', `Mutants of ${reference.name}: ${failure.message}`);
    }
    return outcome.artifacts;
  } finally {
    // What cannot be removed now goes with the next sweep.
    await pod.destroy().catch(() => undefined);
  }
}
