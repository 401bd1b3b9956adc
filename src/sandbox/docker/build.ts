import { InfraError } from '../../domain/errors.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import type { RegistrySettings } from '../../shared/registry-settings.ts';
import type { BuildOutcome, BuildPlan, ImageId, LogCapture } from '../sandbox-engine.ts';
import {
  cacheTag,
  type CacheLimits,
  chooseVictims,
  commitBuild,
  findImage,
  IMAGE_ENV,
  listCachedImages,
} from './build-cache.ts';
import { explainInstallFailure } from './build-failure.ts';
import { createBuildNetwork, removeBuildNetwork, removeExpiredNetworks } from './build-network.ts';
import { CA_FOLDER, caEnv, overDisk, packCa, runStep, type StepResult, writtenBytes } from './build-step.ts';
import { Container } from './container.ts';
import type { DockerClient } from './docker-client.ts';
import { CANDIDATE_UID, type ContainerSpec, containerName } from './host-config.ts';
import type { Owner } from './labels.ts';
import { removeContainer } from './removal.ts';
import { makeSharedWork } from './shared-work.ts';

const TMP_BYTES = 512 * 1024 ** 2;
const OPEN_FILES = 4096;
/** How long past its wall time a step's objects may exist before anyone may sweep them. */
const EXPIRY_GRACE_MS = 5 * 60_000;

export interface BuilderOptions {
  client: DockerClient;
  owner: Owner;
  /** Our seccomp profile as JSON. */
  seccomp: string;
  /** Asked only when a step needs a registry. */
  registries: (signal: AbortSignal) => Promise<RegistrySettings>;
  hostCpus: number;
  /** The engine's runtime for build containers; undefined = its default. */
  runtime?: string;
  logger?: Logger;
}

export interface Builder {
  /**
   * Runs one build step and keeps its result as an image, or answers from the cache. Concurrent calls for one key
   * share one step, and only the first gets `onLog`. A command that fails is an outcome; InfraError is ours, such
   * as `REGISTRY_UNREACHABLE`. Whatever it created besides the image is gone when it ends.
   */
  build(plan: BuildPlan, signal: AbortSignal): Promise<BuildOutcome>;
  /** Removes cached images past the limits and networks that outlived their build. Returns what went. */
  collectImages(
    limits: CacheLimits,
    signal: AbortSignal,
  ): Promise<{ removed: ImageId[]; freedBytes: number }>;
}

/** Makes the builder of one owning process. Holds no resources between builds. */
export function makeBuilder(options: BuilderOptions): Builder {
  const flights = makeSharedWork<BuildOutcome>();
  const lastUsed = new Map<ImageId, number>();
  return {
    async build(plan, signal) {
      const startMs = performance.now();
      const tag = cacheTag(options.owner, plan);
      const known = await findImage(options.client, tag, signal);
      const outcome: BuildOutcome =
        known === undefined
          ? await flights.join(tag, (flightSignal) => runPlan(options, plan, tag, flightSignal), signal)
          : { ok: true, image: known, cached: true, log: NO_LOG, wallMs: performance.now() - startMs };
      if (outcome.ok) {
        lastUsed.set(outcome.image, systemClock.now().getTime());
      }
      return outcome;
    },
    collectImages: (limits, signal) => collectImages(options, lastUsed, limits, signal),
  };
}

const NO_LOG: LogCapture = { text: '', totalBytes: 0, truncated: false, throttled: false };

async function runPlan(
  options: BuilderOptions,
  plan: BuildPlan,
  tag: string,
  signal: AbortSignal,
): Promise<BuildOutcome> {
  const startMs = performance.now();
  const { client, owner } = options;
  const registries = plan.network === 'registries' ? await options.registries(signal) : undefined;
  const expiresAtMs = systemClock.now().getTime() + plan.limits.wallMs + EXPIRY_GRACE_MS;
  const network = registries && (await createBuildNetwork(client, owner, plan.run, expiresAtMs, signal));
  const spec = toContainerSpec(options, plan, registries, network, expiresAtMs);
  try {
    const container = await Container.create(options, spec, signal);
    await container.putArchive(plan.files, plan.into, signal);
    if (registries?.caBundle) {
      await container.putArchive(packCa(registries.caBundle), CA_FOLDER, signal);
    }
    const step = plan.command && (await runStep(client, container, plan, signal));
    const log = step?.log ?? NO_LOG;
    if (step && (step.exit.cause !== 'exited' || step.exit.exitCode !== 0)) {
      return { ok: false, exit: explained(plan, step), log, wallMs: performance.now() - startMs };
    }
    if ((await writtenBytes(client, spec.name)) > plan.limits.diskBytes) {
      const wallMs = performance.now() - startMs;
      return { ok: false, exit: overDisk(plan, wallMs), log, wallMs };
    }
    const image = await commitBuild(client, spec.name, tag, plan, owner, signal);
    return { ok: true, image, cached: false, log, wallMs: performance.now() - startMs };
  } finally {
    await cleanUp(options, spec.name, network);
  }
}

/** Never hides an error of the build itself behind one of the removal: what stays is labelled and swept later. */
async function cleanUp(
  options: BuilderOptions,
  container: string,
  network: string | undefined,
): Promise<void> {
  const { client, logger } = options;
  try {
    await removeContainer(client, container);
    if (network !== undefined) {
      await removeBuildNetwork(client, network);
    }
  } catch (err) {
    logger?.warn({ err, container, network }, 'a build left something behind');
  }
}

function toContainerSpec(
  options: BuilderOptions,
  plan: BuildPlan,
  registries: RegistrySettings | undefined,
  network: string | undefined,
  expiresAtMs: number,
): ContainerSpec {
  const { cpus, memoryBytes, pids, diskBytes } = plan.limits;
  return {
    name: containerName('build'),
    role: 'build',
    owner: options.owner,
    identity: plan.run,
    image: plan.from,
    command: commandLine(plan, registries),
    workdir: plan.into,
    env: IMAGE_ENV,
    uid: CANDIDATE_UID,
    limits: {
      cpus: Math.min(cpus, options.hostCpus),
      memoryBytes,
      pids,
      files: OPEN_FILES,
      fileBytes: diskBytes,
    },
    network: network === undefined ? { kind: 'none' } : { kind: 'bridge', name: network },
    tmpBytes: TMP_BYTES,
    // Installers unpack programs there and run them.
    tmpExec: true,
    writableRoot: true,
    expiresAtMs,
    ...(registries?.caBundle ? { mounts: [{ kind: 'anonymous', path: CA_FOLDER }] } : {}),
    ...(options.runtime === undefined ? {} : { runtime: options.runtime }),
  };
}

/** The plan's variables go in by "env", not by the container: the image that is kept inherits the container's. */
function commandLine(plan: BuildPlan, registries: RegistrySettings | undefined): string[] {
  if (plan.command === null) {
    return ['/bin/false'];
  }
  const env = { ...plan.env, ...(registries ? registryEnv(registries) : {}) };
  return ['env', ...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...plan.command];
}

function registryEnv(registries: RegistrySettings): Record<string, string> {
  const { npmRegistry, pipIndex, pipExtraIndexes, goProxies, caBundle } = registries;
  const pipIndexes = [...(pipIndex === undefined ? [] : [pipIndex]), ...pipExtraIndexes];
  // pip silently skips an index without TLS unless told; whoever configured one meant it.
  const plainHosts = pipIndexes.filter((url) => url.startsWith('http:')).map((url) => new URL(url).host);
  return {
    ...(npmRegistry === undefined ? {} : { NPM_CONFIG_REGISTRY: npmRegistry }),
    ...(pipIndex === undefined ? {} : { PIP_INDEX_URL: pipIndex }),
    ...(pipExtraIndexes.length === 0 ? {} : { PIP_EXTRA_INDEX_URL: pipExtraIndexes.join(' ') }),
    ...(plainHosts.length === 0 ? {} : { PIP_TRUSTED_HOST: plainHosts.join(' ') }),
    ...(goProxies.length === 0 ? {} : { GOPROXY: goProxies.join(',') }),
    ...(caBundle ? caEnv() : {}),
  };
}

/** Throws InfraError `REGISTRY_UNREACHABLE` when the failure is not the candidate's. */
function explained(plan: BuildPlan, step: StepResult): StepResult['exit'] {
  if (plan.kind !== 'dependencies' || step.exit.cause !== 'exited') {
    return step.exit;
  }
  const failure = explainInstallFailure(step.log.text);
  if (failure?.kind === 'registry-unreachable' && plan.network === 'registries') {
    throw new InfraError('REGISTRY_UNREACHABLE', failure.message, {
      mend: 'check the registry settings of this host with "assay doctor"; the run is tried again',
      cause: step.log.text.slice(-4000),
    });
  }
  return failure ? { ...step.exit, message: `${failure.message}.` } : step.exit;
}

async function collectImages(
  options: BuilderOptions,
  lastUsed: Map<ImageId, number>,
  limits: CacheLimits,
  signal: AbortSignal,
): Promise<{ removed: ImageId[]; freedBytes: number }> {
  const { client, owner } = options;
  const nowMs = systemClock.now().getTime();
  await removeExpiredNetworks(client, owner.install, nowMs);
  const images = await listCachedImages(client, owner.install, lastUsed, signal);
  const victims = chooseVictims(images, limits, nowMs);
  const results = await Promise.allSettled(
    victims.map((image) =>
      client.call('remove a cached image', () => client.api.getImage(image.id).remove({ force: false }), {
        signal,
      }),
    ),
  );
  signal.throwIfAborted();
  // The engine refuses one that came into use meanwhile; that one simply stays.
  const gone = victims.filter((_, index) => results[index]?.status === 'fulfilled');
  for (const image of gone) {
    lastUsed.delete(image.id);
  }
  return {
    removed: gone.map((image) => image.id),
    freedBytes: gone.reduce((sum, image) => sum + image.ownBytes, 0),
  };
}
