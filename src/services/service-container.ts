import type { DockerClient } from '../sandbox/docker/docker-client.ts';
import { engineStatus } from '../sandbox/docker/docker-client.ts';
import type { ImageId } from '../sandbox/sandbox-engine.ts';

export type ServiceName = 'postgres' | 'redis';

/** How one service of this installation is to run. */
export interface ServiceSpec {
  install: string;
  service: ServiceName;
  image: ImageId;
  port: number;
  env: Readonly<Record<string, string>>;
  /** Arguments after the image's own command. */
  args: readonly string[];
}

/** A service's container as the engine shows it. */
export interface ServiceState {
  id: string;
  running: boolean;
  port: number;
  image: ImageId;
}

/** Not `app=assay`: a sweep of what runs have left must never see a service that is stopped. */
const APP = 'assay-service';
const PORT_LABEL = 'assay.port';
const STOP_SECONDS = 30;

/** Name of a service's container and, with "-data", of its volume. */
export function serviceContainerName(install: string, service: ServiceName): string {
  return `assay-${install}-${service}`;
}

/** The service's container, or undefined. Throws InfraError. */
export async function inspectService(
  client: DockerClient,
  install: string,
  service: ServiceName,
): Promise<ServiceState | undefined> {
  const name = serviceContainerName(install, service);
  try {
    const info = await client.call(`look at ${name}`, () => client.api.getContainer(name).inspect());
    return {
      id: info.Id,
      running: info.State.Running && !info.State.Restarting,
      port: Number(info.Config.Labels[PORT_LABEL]),
      image: info.Image,
    };
  } catch (error) {
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Creates and starts a service's container. It listens on the host's loopback by itself, so that no bridge, proxy or
 * address translation of the engine is in between. Data lies in a named volume. Throws InfraError, with the engine's
 * 409 when another process was quicker.
 */
export async function createService(client: DockerClient, spec: ServiceSpec): Promise<void> {
  const name = serviceContainerName(spec.install, spec.service);
  const labels = {
    app: APP,
    'assay.install': spec.install,
    'assay.service': spec.service,
    [PORT_LABEL]: String(spec.port),
  };
  await client.call(`create ${name}`, () =>
    client.api.createVolume({ Name: `${name}-data`, Labels: labels }),
  );
  const container = await client.call(`create ${name}`, () =>
    client.api.createContainer({
      name,
      Image: spec.image,
      Cmd: [...spec.args],
      Env: Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
      Labels: labels,
      StopTimeout: STOP_SECONDS,
      HostConfig: {
        NetworkMode: 'host',
        Mounts: [{ Type: 'volume', Source: `${name}-data`, Target: '/data' }],
        ReadonlyRootfs: true,
        Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m,mode=1777' },
        CapDrop: ['ALL'],
        SecurityOpt: ['no-new-privileges:true'],
        Init: true,
        ShmSize: 256 * 1024 ** 2,
        PidsLimit: 512,
        // A crash of the service or a restart of the machine: it comes back by itself.
        RestartPolicy: { Name: 'unless-stopped' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      },
    }),
  );
  await start(client, container.id);
}

/** Starts a container that was stopped. */
export async function startService(client: DockerClient, state: ServiceState): Promise<void> {
  await start(client, state.id);
}

/** Quiet when another process has started it meanwhile. */
async function start(client: DockerClient, id: string): Promise<void> {
  try {
    await client.call('start a service', () => client.api.getContainer(id).start());
  } catch (error) {
    if (engineStatus(error) !== 304) {
      throw error;
    }
  }
}

/** Stops it in good order; quiet when it does not run. */
export async function stopService(client: DockerClient, state: ServiceState): Promise<void> {
  try {
    await client.call('stop a service', () => client.api.getContainer(state.id).stop({ t: STOP_SECONDS }), {
      deadlineMs: (STOP_SECONDS + 20) * 1000,
    });
  } catch (error) {
    if (engineStatus(error) !== 304) {
      throw error;
    }
  }
}

/** The end of its log, for error messages. */
export async function serviceLog(client: DockerClient, state: ServiceState): Promise<string> {
  const log = await client.call('read the log of a service', () =>
    client.api.getContainer(state.id).logs({ stdout: true, stderr: true, tail: 8 }),
  );
  // Each piece has a head of eight bytes; what is not text goes.
  return log.toString('utf8').replaceAll(/[^\n\x20-\x7e]/g, '');
}
