import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import type { GradeDeps } from './grading/grade-run.ts';
import { loadGrader } from './grading/graders.ts';
import { openEngineAccess, readVersion, ROOT } from './open-engine.ts';
import { makeBuilder } from './sandbox/docker/build.ts';
import type { Builder } from './sandbox/docker/build.ts';
import { makeDockerEngine } from './sandbox/docker/docker-engine.ts';
import type { Owner } from './sandbox/docker/labels.ts';
import { seccompProfileJson } from './sandbox/docker/seccomp.ts';
import type { SandboxEngine } from './sandbox/sandbox-engine.ts';
import { systemClock } from './shared/clock.ts';
import { makeLogger } from './shared/logger.ts';
import type { Logger } from './shared/logger.ts';
import { makeRegistrySettings, registrySettingsDigest } from './shared/registry-settings.ts';

const TIDY_DEADLINE_MS = 15_000;
/** Images of builds that nobody used for so long, or beyond so much, go. */
const CACHE_LIMITS = { maxAgeMs: 14 * 24 * 3_600_000, maxBytes: 20 * 1024 ** 3 };

/** What grading needs, ready to use. `close` leaves nothing of this process behind. */
export interface Grading {
  home: string;
  engine: SandboxEngine;
  deps: Omit<GradeDeps, 'onProgress'>;
  close(): Promise<void>;
}

/** Puts together everything that grades. What dead processes of this installation left is swept on the way. */
export async function openGrading(config: Config, runtime = config.runtime): Promise<Grading> {
  const logger = makeLogger(config.logLevel);
  const access = await openEngineAccess(config);
  const { client, images, install } = access;
  const owner: Owner = { install, owner: `${process.pid}-${randomBytes(4).toString('hex')}` };
  const registries = makeRegistrySettings(config);
  const info = await client.call('info', async () => (await client.api.info()) as { NCPU: number });
  const withRuntime = runtime === 'runc' ? {} : { runtime };
  const builder = makeBuilder({
    client,
    owner,
    seccomp: seccompProfileJson(),
    registries,
    hostCpus: info.NCPU,
    logger,
    ...withRuntime,
  });
  const engine = await makeDockerEngine({
    client,
    owner,
    poolSize: config.warmPods,
    images,
    build: (plan, signal) => builder.build(plan, signal),
    logger,
    ...withRuntime,
  });
  const tidying = tidyQuietly(engine, builder, logger);
  return {
    home: config.home,
    engine,
    deps: {
      engine,
      clock: systemClock,
      version: await readVersion(),
      registriesDigest: async (signal) => registrySettingsDigest(await registries(signal)),
      loadGrader: (name) => loadGrader(ROOT, name),
    },
    close: async () => {
      await Promise.race([tidying, sleepUnref(TIDY_DEADLINE_MS)]);
      await engine.close();
    },
  };
}

/** Leftovers of dead runs and old images go in the background; trouble with them must not keep a run from starting. */
async function tidyQuietly(engine: SandboxEngine, builder: Builder, logger: Logger): Promise<void> {
  try {
    const { left } = await engine.sweep();
    await builder.collectImages(CACHE_LIMITS, AbortSignal.timeout(TIDY_DEADLINE_MS));
    if (left.length > 0) {
      logger.warn({ left }, 'some leftovers could not be removed');
    }
  } catch (error) {
    logger.warn({ err: error }, 'tidying up failed');
  }
}

function sleepUnref(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
