import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, InfraError } from '../domain/errors.ts';
import type { DockerClient } from '../sandbox/docker/docker-client.ts';
import { engineStatus } from '../sandbox/docker/docker-client.ts';
import type { ImageStore } from '../sandbox/docker/images.ts';
import { removeContainer, removeVolume } from '../sandbox/docker/removal.ts';
import type { ServiceName, ServiceSpec, ServiceState } from './service-container.ts';
import {
  createService,
  inspectService,
  serviceContainerName,
  serviceLog,
  startService,
  stopService,
} from './service-container.ts';
import { accepts, freePort, isFree } from './service-ports.ts';
import { forgetServicePasswords, readServicePasswords } from './service-secrets.ts';

export interface ServicesHost {
  client: DockerClient;
  images: ImageStore;
  install: string;
  home: string;
}

const SERVICES: readonly ServiceName[] = ['postgres', 'redis'];
const READY_MS = 180_000;
const STEP_MS = 100;
/** Ports that were free a moment ago and taken at the start, or other processes that do the same at once. */
const TRIES = 8;

/**
 * Makes a service of this installation run and answers its URL. Idempotent, and several processes may do it at once.
 * Throws InfraError `SERVICE_FAILED` with the end of its log.
 */
export async function ensureService(
  host: ServicesHost,
  service: ServiceName,
  signal: AbortSignal,
): Promise<string> {
  if (host.client.address.socketPath === undefined) {
    throw new AssayError(
      'CONFIG_INVALID',
      'infra',
      'the engine is on another machine, so assay cannot run its own database and queue on this one',
      { mend: 'set DATABASE_URL and REDIS_URL' },
    );
  }
  const password = (await readServicePasswords(host.home))[service];
  const image = await host.images.image(service, signal);
  let failure: unknown;
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    signal.throwIfAborted();
    try {
      const port = await bringUp(host, service, image, password);
      if (port !== undefined && (await isReady(host, service, port, signal))) {
        return urlOf(service, port, password);
      }
    } catch (error) {
      // Another process makes or removes the same container.
      if (![404, 409].includes(engineStatus(error) ?? 0)) {
        throw error;
      }
      failure = error;
    }
    await sleep(STEP_MS, undefined, { signal });
  }
  throw new InfraError('SERVICE_FAILED', `assay's own ${service} does not start`, {
    mend: `look at "docker logs ${serviceContainerName(host.install, service)}"`,
    cause: failure,
  });
}

/** The port on which the service starts or runs; undefined when its old port is taken and it has to be made anew. */
async function bringUp(
  host: ServicesHost,
  service: ServiceName,
  image: string,
  password: string,
): Promise<number | undefined> {
  const { client, install } = host;
  const state = await inspectService(client, install, service);
  if (state?.running === true) {
    return state.port;
  }
  if (state?.image === image && (await isFree(state.port))) {
    await startService(client, state);
    return state.port;
  }
  if (state) {
    // Its port may be taken because another process has made it run a moment ago.
    const again = await inspectService(client, install, service);
    if (again?.running === true) {
      return again.port;
    }
    await removeContainer(client, state.id);
  }
  // The port before is kept where it can be: other processes may have it in their settings.
  const port = state && (await isFree(state.port)) ? state.port : await freePort();
  await createService(client, { install, image, ...settingsOf(service, port, password) });
  return port;
}

/** False when it has ended meanwhile, as when somebody took its port first: made anew, it gets another. */
async function isReady(
  { client, install }: ServicesHost,
  service: ServiceName,
  port: number,
  signal: AbortSignal,
): Promise<boolean> {
  const untilMs = performance.now() + READY_MS;
  while (performance.now() < untilMs) {
    const answered = await accepts(port);
    const state = await inspectService(client, install, service);
    if (state?.running !== true) {
      if (state) {
        await removeContainer(client, state.id);
      }
      return false;
    }
    if (answered) {
      return true;
    }
    await sleep(STEP_MS, undefined, { signal });
  }
  const state = await inspectService(client, install, service);
  const log = state ? await serviceLog(client, state) : '';
  throw new InfraError('SERVICE_FAILED', `assay's own ${service} did not answer in time. ${log}`);
}

/** Durable before it answers: fsync and WAL in Postgres, an append-only file in Redis that evicts nothing. */
function settingsOf(
  service: ServiceName,
  port: number,
  password: string,
): Pick<ServiceSpec, 'service' | 'port' | 'env' | 'args'> {
  if (service === 'postgres') {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: String(port),
      fsync: 'on',
      synchronous_commit: 'on',
      full_page_writes: 'on',
      max_connections: '200',
      shared_buffers: '128MB',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    return { service, port, env: { POSTGRES_PASSWORD: password }, args };
  }
  const settings = {
    bind: '127.0.0.1',
    port: String(port),
    appendonly: 'yes',
    appendfsync: 'always',
    maxmemory: '512mb',
    'maxmemory-policy': 'noeviction',
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  return { service, port, env: { REDIS_PASSWORD: password }, args };
}

function urlOf(service: ServiceName, port: number, password: string): string {
  return service === 'postgres'
    ? `postgres://app:${password}@127.0.0.1:${port}/app`
    : `redis://:${password}@127.0.0.1:${port}`;
}

/** What runs, for people. */
export async function listServices(
  host: Pick<ServicesHost, 'client' | 'install'>,
): Promise<{ service: ServiceName; name: string; state: ServiceState | undefined }[]> {
  return await Promise.all(
    SERVICES.map(async (service) => ({
      service,
      name: serviceContainerName(host.install, service),
      state: await inspectService(host.client, host.install, service),
    })),
  );
}

/** Stops the services of this installation; their data stays. Answers the names of those that ran. */
export async function stopServices(host: Pick<ServicesHost, 'client' | 'install'>): Promise<string[]> {
  const running = (await listServices(host)).flatMap(({ name, state }) =>
    state?.running === true ? [{ name, state }] : [],
  );
  await Promise.all(running.map(({ state }) => stopService(host.client, state)));
  return running.map(({ name }) => name);
}

/** Removes the services of this installation, their data and their passwords. */
export async function resetServices(host: Omit<ServicesHost, 'images'>): Promise<void> {
  await Promise.all(
    SERVICES.map(async (service) => {
      const name = serviceContainerName(host.install, service);
      await removeContainer(host.client, name);
      await removeVolume(host.client, `${name}-data`);
    }),
  );
  await forgetServicePasswords(host.home);
}
