import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Config } from './config.ts';
import { AssayError } from './domain/errors.ts';
import type { GradeDeps } from './grading/grade-run.ts';
import { loadGrader } from './grading/graders.ts';
import { makeBuilder } from './sandbox/docker/build.ts';
import type { Builder } from './sandbox/docker/build.ts';
import { DockerClient } from './sandbox/docker/docker-client.ts';
import type { DockerAddress } from './sandbox/docker/docker-client.ts';
import { makeDockerEngine } from './sandbox/docker/docker-engine.ts';
import { makeImageStore } from './sandbox/docker/images.ts';
import type { ImageStore } from './sandbox/docker/images.ts';
import type { Owner } from './sandbox/docker/labels.ts';
import { seccompProfileJson } from './sandbox/docker/seccomp.ts';
import type { SandboxEngine } from './sandbox/sandbox-engine.ts';
import { systemClock } from './shared/clock.ts';
import { makeLogger } from './shared/logger.ts';
import type { Logger } from './shared/logger.ts';
import { makeRegistrySettings, registrySettingsDigest } from './shared/registry-settings.ts';

/** The folder of assay itself: docker/, graders/ and package.json lie in it. */
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
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

/** The engine and the images, without pods: for set-up, doctor and clean. */
export interface EngineAccess {
  client: DockerClient;
  images: ImageStore;
  install: string;
}

/** Opens the engine for this installation. Throws AssayError `CONFIG_INVALID` for a wrong DOCKER_HOST. */
export async function openEngineAccess(config: Config): Promise<EngineAccess> {
  const client = new DockerClient(dockerAddress(config.dockerHost));
  const images = makeImageStore({
    client,
    root: ROOT,
    cacheDir: join(config.home, 'cache'),
    childEnv: config.childEnv,
  });
  return { client, images, install: await readInstallId(config.home) };
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

/** Names this installation, once: everything it creates on the engine carries the name. */
async function readInstallId(home: string): Promise<string> {
  const file = join(home, 'install-id');
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined && /^[a-z0-9]{12}$/.test(known.trim())) {
    return known.trim();
  }
  await mkdir(home, { recursive: true });
  // "wx": of two first runs at once one wins, and both then read the same name.
  await writeFile(file, `${randomBytes(6).toString('hex')}\n`, { flag: 'wx' }).catch(() => undefined);
  return (await readFile(file, 'utf8')).trim();
}

function dockerAddress(dockerHost: string | undefined): DockerAddress {
  if (dockerHost === undefined || dockerHost === '') {
    return { socketPath: '/var/run/docker.sock' };
  }
  const url = URL.canParse(dockerHost) ? new URL(dockerHost) : undefined;
  if (url?.protocol === 'unix:') {
    return { socketPath: url.pathname };
  }
  if (url?.protocol === 'tcp:' && url.port !== '') {
    return { host: url.hostname, port: Number(url.port) };
  }
  throw new AssayError(
    'CONFIG_INVALID',
    'infra',
    `DOCKER_HOST "${dockerHost}" is neither unix://… nor tcp://host:port`,
  );
}

/** Version of assay itself. */
export async function readVersion(): Promise<string> {
  const text = await readFile(join(ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
