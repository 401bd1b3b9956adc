import type { RunIdentity, SweepReport } from '../sandbox-engine.ts';
import type { DockerClient } from './docker-client.ts';
import { removeBuildNetwork } from './build-network.ts';
import { APP_LABEL } from './labels.ts';
import { findOrphans, findStale, type LabelledObject } from './orphans.ts';
import { removeContainer, removeVolume } from './removal.ts';

/**
 * Removes what dead owners of this installation left, all at once, so that nothing wedged holds up the rest.
 * Throws InfraError only when the engine cannot be asked at all.
 */
export async function sweepOrphans(
  client: DockerClient,
  install: string,
  live?: () => Promise<readonly RunIdentity[]>,
): Promise<SweepReport> {
  const filter = [`assay.install=${install}`];
  const [containers, volumes, nowMs] = await Promise.all([
    listContainers(client, filter),
    listVolumes(client, filter),
    engineTimeMs(client),
  ]);
  const objects = [...containers, ...volumes];
  // Asked after the listing: what was made for a lease that is newer than it cannot be in it.
  const stale = live ? findStale(objects, await live(), nowMs) : [];
  return removeObjects(client, [...new Set([...findOrphans(objects, nowMs), ...stale])]);
}

/** Removes everything of one owner, whatever its state. Errors as `sweepOrphans`. */
export async function removeOwner(
  client: DockerClient,
  install: string,
  owner: string,
): Promise<SweepReport> {
  const filter = [`assay.install=${install}`, `assay.owner=${owner}`];
  const [containers, volumes] = await Promise.all([
    listContainers(client, filter),
    listVolumes(client, filter),
  ]);
  const report = await removeObjects(client, [...containers, ...volumes]);
  // A network goes only when no container is in it any more.
  for (const name of await listNetworks(client, filter)) {
    await attempt(report, name, () => removeBuildNetwork(client, name));
  }
  return report;
}

async function listNetworks(client: DockerClient, labels: readonly string[]): Promise<string[]> {
  const filters = { label: [APP_LABEL, ...labels] };
  const found = await client.call('list networks', () => client.api.listNetworks({ filters }));
  return found.map((network) => network.Name);
}

async function attempt(report: SweepReport, id: string, remove: () => Promise<void>): Promise<void> {
  try {
    await remove();
    report.removed.push(id);
  } catch (error) {
    report.left.push({ id, reason: error instanceof Error ? error.message : String(error) });
  }
}

async function removeObjects(client: DockerClient, objects: readonly LabelledObject[]): Promise<SweepReport> {
  const report: SweepReport = { removed: [], left: [] };
  const containers = objects.filter((object) => object.state !== undefined);
  const volumes = objects.filter((object) => object.state === undefined);
  await Promise.all(containers.map(({ id }) => attempt(report, id, () => removeContainer(client, id))));
  await Promise.all(volumes.map(({ id }) => attempt(report, id, () => removeVolume(client, id))));
  return report;
}

async function listContainers(client: DockerClient, labels: readonly string[]): Promise<LabelledObject[]> {
  const filters = { label: [APP_LABEL, ...labels] };
  const found = await client.call('list containers', () => client.api.listContainers({ all: true, filters }));
  return found.map((info) => ({
    id: info.Id,
    labels: info.Labels,
    createdMs: info.Created * 1000,
    state: info.State,
  }));
}

async function listVolumes(client: DockerClient, labels: readonly string[]): Promise<LabelledObject[]> {
  const filters = { label: [APP_LABEL, ...labels] };
  const found = await client.call('list volumes', () => client.api.listVolumes({ filters }));
  return (found.Volumes ?? []).map((info) => {
    const { CreatedAt: createdAt } = info as { CreatedAt?: string };
    return { id: info.Name, labels: info.Labels ?? {}, createdMs: Date.parse(createdAt ?? '') || 0 };
  });
}

/** The engine's clock, Unix ms: another machine's may differ from ours. Throws InfraError. */
export async function engineTimeMs(client: DockerClient): Promise<number> {
  const info = (await client.call('ask for engine facts', () => client.api.info())) as { SystemTime: string };
  return Date.parse(info.SystemTime);
}
