import { randomBytes } from 'node:crypto';
import type { RunIdentity } from '../sandbox-engine.ts';
import type { DockerClient } from './docker-client.ts';
import { engineStatus } from './docker-client.ts';
import { EXPIRES_LABEL } from './host-config.ts';
import { APP_LABEL, labelsFor, type Owner } from './labels.ts';

/**
 * Creates the bridge network of one dependency step. It reaches what the host reaches; no code of a candidate or of
 * a package runs on it, and no other container is on it. Returns its name. Throws InfraError.
 */
export async function createBuildNetwork(
  client: DockerClient,
  owner: Owner,
  identity: RunIdentity,
  expiresAtMs: number,
  signal: AbortSignal,
): Promise<string> {
  const name = `assay-build-${randomBytes(10).toString('hex')}`;
  await client.call(
    'create a build network',
    () =>
      client.api.createNetwork({
        Name: name,
        Driver: 'bridge',
        Internal: false,
        Attachable: false,
        EnableIPv6: false,
        Labels: {
          ...labelsFor(owner, identity, 'build'),
          [EXPIRES_LABEL]: String(Math.round(expiresAtMs)),
        },
        // Should anything else ever be attached, it still cannot talk to the build.
        Options: { 'com.docker.network.bridge.enable_icc': 'false' },
      }),
    { signal },
  );
  return name;
}

/** Removes a network whose containers are gone. Quiet when it is gone itself. Throws InfraError otherwise. */
export async function removeBuildNetwork(client: DockerClient, name: string): Promise<void> {
  try {
    await client.call('remove a build network', () => client.api.getNetwork(name).remove());
  } catch (error) {
    if (engineStatus(error) !== 404) {
      throw error;
    }
  }
}

/**
 * Removes build networks of this installation that outlived their build, all at once; returns how many went. One
 * that still has a container stays.
 */
export async function removeExpiredNetworks(
  client: DockerClient,
  install: string,
  nowMs: number,
): Promise<number> {
  const filters = { label: [APP_LABEL, `assay.install=${install}`, 'assay.role=build'] };
  const networks = await client.call('list build networks', () => client.api.listNetworks({ filters }));
  const expired = networks.filter((network) => Number(network.Labels?.[EXPIRES_LABEL] ?? Infinity) < nowMs);
  const results = await Promise.allSettled(
    expired.map((network) => removeBuildNetwork(client, network.Name)),
  );
  return results.filter((result) => result.status === 'fulfilled').length;
}
