import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { BlobStore } from './blobs/blob-store.ts';
import { openFsBlobStore } from './blobs/fs-blob-store.ts';
import { openEngineAccess, openGrading, readVersion } from './compose.ts';
import type { EngineAccess, Grading } from './compose.ts';
import type { Config } from './config.ts';
import { AssayError } from './domain/errors.ts';
import { makeStageGate } from './grading/stage-gate.ts';
import { decideStartPlan } from './grading/start-plan.ts';
import { buildApp } from './http/app.ts';
import type { App } from './http/app-types.ts';
import { DEFAULT_HTTP_SETTINGS } from './http/http-settings.ts';
import { inspectSubmission } from './intake/inspect-submission.ts';
import { openBullConsumer } from './queue/bullmq-consumer.ts';
import { openBullQueue } from './queue/bullmq-queue.ts';
import type { GradingQueue } from './queue/grading-queue.ts';
import { requireNoEviction } from './queue/redis-settings.ts';
import { isProven, proveSandbox } from './sandbox/docker/self-test.ts';
import type { SandboxEngine } from './sandbox/sandbox-engine.ts';
import { ensureService } from './services/own-services.ts';
import type { ServicesHost } from './services/own-services.ts';
import { systemClock } from './shared/clock.ts';
import { makeLogger } from './shared/logger.ts';
import type { Logger } from './shared/logger.ts';
import { openPostgresStore } from './store/postgres/postgres-store.ts';
import type { Store } from './store/store.ts';
import { blobChore, reconcileChore, relayChore, sweepChore, uploadChore } from './worker/chores.ts';
import { keepGoing } from './worker/keep-going.ts';
import { makeAllowRule } from './webhooks/allow-rule.ts';
import type { AllowRule } from './webhooks/allow-rule.ts';
import { resolveTarget } from './webhooks/resolve-target.ts';
import { startWebhookSender } from './webhooks/webhook-sender.ts';
import { startWorker } from './worker/worker.ts';
import { WORKER_SETTINGS } from './worker/worker-deps.ts';

/** A database that was started a moment ago, or is being restarted, gets so long to answer. */
const STORE_WAIT_MS = 60_000;

export interface ServiceUrls {
  databaseUrl: string;
  redisUrl: string;
}

/** What every process of the service has open. */
export interface Backing {
  urls: ServiceUrls;
  store: Store;
  blobs: BlobStore;
  queue: GradingQueue;
  logger: Logger;
  close(): Promise<void>;
}

/** This installation's own services, for what starts, stops and removes them. */
export async function openServicesHost(config: Config): Promise<ServicesHost> {
  const access: EngineAccess = await openEngineAccess(config);
  return { ...access, home: config.home };
}

/** Opens the store alone, starting assay's own database where none is configured. */
export async function openStore(config: Config, signal: AbortSignal): Promise<Store> {
  const url = config.databaseUrl ?? (await ensureService(await openServicesHost(config), 'postgres', signal));
  return await openPostgresStore({ url }, STORE_WAIT_MS);
}

/** Opens store, queue and blobs; starts assay's own Postgres and Redis where none are configured. */
export async function openBacking(config: Config, signal: AbortSignal): Promise<Backing> {
  const logger = makeLogger(config.logLevel);
  const urls = await findUrls(config, signal);
  const store = await openPostgresStore(
    {
      url: urls.databaseUrl,
      onError: (error) => logger.warn({ err: error }, 'a database connection broke'),
    },
    STORE_WAIT_MS,
  );
  const blobs = await openFsBlobStore(join(config.home, 'blobs')).catch(async (error: unknown) => {
    await store.close();
    throw error;
  });
  const queue = openBullQueue(urls.redisUrl, (error) => logger.warn({ err: error }, 'the queue has trouble'));
  return {
    urls,
    store,
    queue,
    logger,
    blobs,
    close: async () => {
      await queue.close().catch(() => undefined);
      await store.close();
    },
  };
}

async function findUrls(config: Config, signal: AbortSignal): Promise<ServiceUrls> {
  const { databaseUrl, redisUrl } = config;
  if (databaseUrl !== undefined && redisUrl !== undefined) {
    return { databaseUrl, redisUrl };
  }
  const host = await openServicesHost(config);
  const [ownDatabase, ownRedis] = await Promise.all([
    databaseUrl ?? ensureService(host, 'postgres', signal),
    redisUrl ?? ensureService(host, 'redis', signal),
  ]);
  return { databaseUrl: ownDatabase, redisUrl: ownRedis };
}

/** The HTTP interface over what is open, and the chores that keep runs moving. It does not listen yet. */
export async function openApi(
  config: Config,
  backing: Backing,
): Promise<{ app: App; close(): Promise<void> }> {
  const { store, blobs, logger, queue } = backing;
  const rule = webhookRule(config);
  const uploadDir = join(config.home, 'uploads');
  const app = await buildApp({
    store,
    blobs,
    logger,
    clock: systemClock,
    version: await readVersion(),
    settings: {
      ...DEFAULT_HTTP_SETTINGS,
      trustProxy: config.trustProxy,
      uploadDir,
    },
    intake: (path, maxBytes, signal) => inspectSubmission({ path }, { compressedBytes: maxBytes }, signal),
    checkStart: (submission, runtimes) => {
      decideStartPlan(submission, runtimes);
    },
    checkWebhookUrl: async (address) => {
      await resolveTarget(address, rule);
    },
  });
  const chores = [
    relayChore(store, queue),
    reconcileChore(store, WORKER_SETTINGS.maxFailures, logger),
    blobChore(store, blobs, logger),
    uploadChore(uploadDir, logger),
  ].map((chore) => keepGoing(chore, logger));
  const sender = startWebhookSender({ webhooks: store.webhooks, rule, clock: systemClock, logger });
  return {
    app,
    close: async () => {
      await app.close();
      await Promise.all([sender.close(), ...chores.map((stop) => stop())]);
    },
  };
}

function webhookRule({ webhookAllow }: Config): AllowRule {
  try {
    return makeAllowRule(webhookAllow);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AssayError('CONFIG_INVALID', 'infra', `ASSAY_WEBHOOK_ALLOW: ${reason}`);
  }
}

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
    const { cpus } = await grading.engine.facts(AbortSignal.timeout(STORE_WAIT_MS));
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
