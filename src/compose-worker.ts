import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { openGrading } from './compose.ts';
import type { Grading } from './compose.ts';
import type { Backing } from './compose-service.ts';
import type { Config } from './config.ts';
import { makeStageGate } from './grading/stage-gate.ts';
import { inspectSubmission } from './intake/inspect-submission.ts';
import { openBullConsumer } from './queue/bullmq-consumer.ts';
import { requireNoEviction } from './queue/redis-settings.ts';
import { isProven, proveSandbox } from './sandbox/docker/self-test.ts';
import type { SandboxEngine } from './sandbox/sandbox-engine.ts';
import { reconcileChore, relayChore, sweepChore } from './worker/chores.ts';
import { keepGoing } from './worker/keep-going.ts';
import { makeKnownChallenges } from './worker/known-challenges.ts';
import { startWorker } from './worker/worker.ts';
import { WORKER_SETTINGS } from './worker/worker-deps.ts';

/** A container engine that was started a moment ago gets so long to answer. */
const ENGINE_WAIT_MS = 60_000;

export interface OpenWorker {
  /** Why it takes no work yet; undefined: it does. */
  firstProof: Promise<string | undefined>;
  /** Drains and removes everything of it. */
  close(): Promise<void>;
}

/** A worker over what is open, proving its sandbox first. It relays and reconciles too: any process may. */
export async function openWorker(config: Config, backing: Backing): Promise<OpenWorker> {
  const { store, blobs, logger, queue, urls } = backing;
  await requireNoEviction(urls.redisUrl);
  const grading = await openGrading(config);
  const slots = await countSlots(config, grading);
  const worker = startWorker({
    deps: {
      store,
      blobs,
      grading: { ...grading.deps, gate: makeStageGate() },
      knownChallenges: makeKnownChallenges(),
      inspect: (directory, signal) => inspectSubmission({ path: directory }, {}, signal),
      logger,
      id: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
      workDir: join(config.home, 'work'),
      settings: WORKER_SETTINGS,
    },
    host: hostname(),
    slots,
    openConsumer: (handle) =>
      openBullConsumer({
        url: urls.redisUrl,
        slots,
        handle,
        onError: (error) => logger.warn({ err: error }, 'the queue has trouble'),
      }),
    prove: (signal) => prove(grading.engine, config.dockerHost?.startsWith('tcp:') === true, signal),
  });
  const chores = [
    relayChore(store, queue),
    reconcileChore(store, WORKER_SETTINGS.maxFailures, logger),
    sweepChore(store, grading.engine, logger),
  ].map((chore) => keepGoing(chore, logger));
  return {
    firstProof: worker.firstProof,
    close: async () => {
      await worker.stop(config.drainMs);
      await Promise.all(chores.map((stop) => stop()));
      await grading.close();
    },
  };
}

/** A candidate and its grader take a CPU each. */
async function countSlots({ slots }: Config, grading: Grading): Promise<number> {
  try {
    const { cpus } = await grading.engine.facts(AbortSignal.timeout(ENGINE_WAIT_MS));
    return slots ?? Math.max(1, Math.floor(cpus / 2));
  } catch (error) {
    await grading.close();
    throw error;
  }
}

async function prove(
  engine: SandboxEngine,
  remoteEngine: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const proofs = await proveSandbox(
    { engine, image: await engine.image('base', signal), remoteEngine },
    signal,
  );
  const failed = proofs.filter((proof) => !proof.ok).map((proof) => `${proof.name}: ${proof.detail}`);
  return isProven(proofs) ? undefined : failed.join('; ');
}
