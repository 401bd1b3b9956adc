import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { openFsBlobStore } from '../../src/blobs/fs-blob-store.ts';
import { loadGrader } from '../../src/grading/graders.ts';
import { makeStageGate } from '../../src/grading/stage-gate.ts';
import { openBullConsumer } from '../../src/queue/bullmq-consumer.ts';
import { openBullQueue } from '../../src/queue/bullmq-queue.ts';
import { makeFakeEngine } from '../../src/sandbox/fake/fake-engine.ts';
import type { FakeEngine } from '../../src/sandbox/fake/fake-engine.ts';
import type { FakeGraderIo, FakeScript } from '../../src/sandbox/fake/fake-script.ts';
import { systemClock } from '../../src/shared/clock.ts';
import type { Run } from '../../src/store/run-store.ts';
import { openPostgresStore } from '../../src/store/postgres/postgres-store.ts';
import type { Store } from '../../src/store/store.ts';
import { makeKnownChallenges } from '../../src/worker/known-challenges.ts';
import { relayChore } from '../../src/worker/chores.ts';
import { keepGoing } from '../../src/worker/keep-going.ts';
import { startWorker } from '../../src/worker/worker.ts';
import type { RunningWorker } from '../../src/worker/worker.ts';
import { WORKER_SETTINGS } from '../../src/worker/worker-deps.ts';
import type { WorkerSettings } from '../../src/worker/worker-deps.ts';
import { submissionOf } from './canonical-submission.ts';
import { tarOf } from './service-processes.ts';
import { openTestServices } from './services.ts';
import { newSubmission, storedInvitation, storedVersion } from './stored.ts';

const BUNDLE = 'tests/corpus/trivial/challenge';
const CHECKS = ['five/one', 'five/two', 'five/three', 'five/four', 'five/five'];

/** A worker on a sandbox where scripts play candidate and grader. */
export interface BenchWorker extends RunningWorker {
  id: string;
  engine: FakeEngine;
}

export interface WorkerBench {
  store: Store;
  work(script: FakeScript, settings?: Partial<WorkerSettings>): Promise<BenchWorker>;
  /** A counted submission, queued. */
  submit(): Promise<Run & { invitationId: string }>;
  /** Ends the workers of a test. */
  stopWorkers(): Promise<void>;
  close(): Promise<void>;
}

/** Real database, queue and blobs; only what happens in containers is scripted. */
export async function openWorkerBench(): Promise<WorkerBench> {
  const services = await openTestServices();
  const folder = await mkdtemp(join(tmpdir(), 'assay-worker-'));
  const logger = pino({ level: 'silent' });
  const [url, redisUrl] = [await services.url('postgres'), await services.url('redis')];
  const store = await openPostgresStore({ url }, 60_000);
  const queue = openBullQueue(redisUrl, () => undefined);
  const blobs = await openFsBlobStore(join(folder, 'blobs'));
  const stopRelay = keepGoing(relayChore(store, queue), logger);
  const bundle = await blobs.put(await tarOf(BUNDLE));
  const tar = await blobs.put(submissionOf({ 'server.js': '', 'package.json': START }).tar);
  const workers: BenchWorker[] = [];

  async function stopWorkers(): Promise<void> {
    await Promise.all(workers.splice(0).map((worker) => worker.stop(0)));
  }

  return {
    store,
    work: async (script, settings = {}) => {
      const id = `w-${randomUUID()}`;
      const engine = makeFakeEngine(script);
      const worker = startWorker({
        deps: {
          store,
          blobs,
          grading: {
            engine,
            clock: systemClock,
            version: '0',
            registriesDigest: () => Promise.resolve(''),
            loadGrader: (name) => loadGrader('.', name),
            gate: makeStageGate(),
          },
          inspect: () => Promise.reject(new Error('nothing is checked here')),
          logger,
          id,
          workDir: join(folder, id),
          knownChallenges: makeKnownChallenges(),
          settings: { ...WORKER_SETTINGS, retryMs: 1, heartbeatMs: 100, ...settings },
        },
        host: 'bench',
        slots: 1,
        openConsumer: (handle) =>
          openBullConsumer({ url: redisUrl, slots: 1, handle, onError: () => undefined }),
        prove: () => Promise.resolve(undefined),
      });
      const bench = { ...worker, id, engine };
      workers.push(bench);
      await worker.firstProof;
      return bench;
    },
    submit: async () => {
      const version = await storedVersion(store, undefined, bundle.key);
      const invitation = await storedInvitation(store, version);
      const order = newSubmission(invitation, { tar, digest: tar.key });
      const accepted = await store.submissions.accept(order);
      if (!accepted.ok) {
        throw new Error(accepted.refusal.kind);
      }
      return { ...accepted.run, invitationId: invitation.id };
    },
    stopWorkers,
    close: async () => {
      await stopWorkers();
      await stopRelay();
      await queue.close();
      await store.close();
      await services.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const START = '{"scripts":{"start":"node server.js"}}';

/** A grader whose checks all come out as said. */
export function makeGrader(status: 'passed' | 'failed' = 'passed') {
  return async (io: FakeGraderIo): Promise<number> => {
    await io.readLine();
    for (const id of CHECKS) {
      const points = status === 'passed' ? 1 : 0;
      const rest = { skill: 'api-design', visibility: 'hidden', message: '', durationMs: 1 };
      await io.emit({ event: 'check', check: { id, name: id, status, points, maxPoints: 1, ...rest } });
    }
    await io.emit({ event: 'done' });
    return 0;
  };
}

/** A grader that begins and then waits to be released; `grader` undefined waits until it is killed. */
export function makeHeldGrader(then?: (io: FakeGraderIo) => Promise<number>) {
  const [begun, released] = [makeLatch(), makeLatch()];
  return {
    begun: begun.opened,
    release: released.open,
    grader: async (io: FakeGraderIo): Promise<number> => {
      begun.open();
      if (then !== undefined) {
        await released.opened;
        return await then(io);
      }
      if (!io.signal.aborted) {
        await once(io.signal, 'abort');
      }
      return 137;
    },
  };
}

function makeLatch(): { opened: Promise<void>; open: () => void } {
  const latch = new AbortController();
  const opened = new Promise<void>((resolve) => {
    latch.signal.addEventListener('abort', () => resolve());
  });
  return { opened, open: () => latch.abort() };
}
