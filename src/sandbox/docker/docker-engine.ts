import { InfraError } from '../../domain/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type {
  BuildOutcome,
  BuildPlan,
  ImageId,
  PodSpec,
  RunIdentity,
  SandboxEngine,
} from '../sandbox-engine.ts';
import { findForeignImage } from './build-cache.ts';
import { sweepOrphans } from './cleanup.ts';
import type { ContainerDeps } from './container.ts';
import type { DockerClient } from './docker-client.ts';
import { DockerPod } from './docker-pod.ts';
import { readEngineFacts } from './engine-facts.ts';
import { startGuard } from './guard.ts';
import { containerName } from './host-config.ts';
import type { Owner } from './labels.ts';
import { PausePool } from './pause-pool.ts';
import { PauseProcess } from './pause-process.ts';
import { removeContainer } from './removal.ts';
import { seccompProfileJson } from './seccomp.ts';

export interface DockerEngineOptions {
  client: DockerClient;
  owner: Owner;
  /** Started pauses kept ready; 0 = none. */
  poolSize: number;
  /** Registered name of the runtime for candidates and graders; undefined = the engine's default. */
  runtime?: string;
  images: {
    image(name: string, signal: AbortSignal, onProgress?: (line: string) => void): Promise<ImageId>;
  };
  build: (plan: BuildPlan, signal: AbortSignal) => Promise<BuildOutcome>;
  logger?: Logger;
}

/**
 * The sandbox on a Docker engine. Starts this owner's guard and, in the background, its warm pods; `close` ends
 * both. Throws InfraError when the engine does not answer or does not know the runtime.
 */
export async function makeDockerEngine(options: DockerEngineOptions): Promise<SandboxEngine> {
  const { client, owner, images, logger } = options;
  const facts = await readEngineFacts(client, options.runtime);
  const deps: ContainerDeps = { client, seccomp: seccompProfileJson(), ...(logger ? { logger } : {}) };
  const guard = startGuard({ owner, address: client.address }, logger);
  const pods = new Set<DockerPod>();
  let closing: Promise<void> | undefined;

  async function beginPause(name: string, identity: RunIdentity, signal: AbortSignal): Promise<PauseProcess> {
    const image = await images.image('pause', signal);
    return PauseProcess.begin(deps, { name, owner, identity, image }, signal);
  }

  const pool = new PausePool({
    client,
    size: options.poolSize,
    begin: beginPause,
    ...(logger ? { logger } : {}),
  });
  pool.refill();

  async function openPod(spec: PodSpec, signal: AbortSignal): Promise<DockerPod> {
    signal.throwIfAborted();
    if (closing) {
      throw new InfraError('SANDBOX_USE', 'a pod was asked of a closed engine');
    }
    const pause = pool.take() ?? (await beginOwnPause(client, beginPause, spec, signal));
    const pod: DockerPod = new DockerPod({
      deps,
      owner,
      spec,
      pause,
      hostCpus: facts.cpus,
      runtime: options.runtime,
      onSettled: () => pool.refill(),
      onDestroyed: () => pods.delete(pod),
    });
    pods.add(pod);
    return pod;
  }

  async function close(): Promise<void> {
    const results = await Promise.allSettled([pool.close(), ...[...pods].map((pod) => pod.destroy())]);
    const failed = results.find((result) => result.status === 'rejected');
    await guard.dismiss(failed === undefined);
    if (failed) {
      throw failed.reason;
    }
  }

  return {
    // Read once: an engine that changes is restarted, and takes every pod with it.
    facts: () => Promise.resolve(facts),
    image: (name, signal, onProgress) => images.image(name, signal, onProgress),
    foreignImage: (reference, signal) => findForeignImage(client, reference, signal),
    build: (plan, signal) => options.build(plan, signal),
    openPod,
    sweep: (live) => sweepOrphans(client, owner.install, live),
    close: () => (closing ??= close()),
  };
}

/** Starts a pause for one run. On failure it is removed behind the error. */
async function beginOwnPause(
  client: DockerClient,
  begin: (name: string, identity: RunIdentity, signal: AbortSignal) => Promise<PauseProcess>,
  spec: PodSpec,
  signal: AbortSignal,
): Promise<PauseProcess> {
  const name = containerName('pause');
  try {
    return await begin(name, { run: spec.run, epoch: spec.epoch }, signal);
  } catch (error) {
    await removeContainer(client, name).catch(() => undefined);
    throw error;
  }
}
