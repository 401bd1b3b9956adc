import { createHash } from 'node:crypto';
import { systemClock } from '../../shared/clock.ts';
import type { BuildPlan, ForeignImage, ImageId } from '../sandbox-engine.ts';
import type { DockerClient } from './docker-client.ts';
import { engineStatus } from './docker-client.ts';
import { postJson } from './engine-dial.ts';
import { APP_LABEL, type Owner } from './labels.ts';

const REPOSITORY = 'assay/cache';
const COMMIT_DEADLINE_MS = 120_000;
const LIST_DEADLINE_MS = 60_000;
/** An image used this lately may be on its way into a container. */
const SPARED_MS = 10 * 60_000;

/**
 * What every image that a build leaves says of its environment, and nothing else: programs of the installed packages
 * come first, and Python's packages beside Debian's are found by every Python program.
 */
export const IMAGE_ENV: Readonly<Record<string, string>> = {
  PATH: '/app/node_modules/.bin:/app/.python/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  PYTHONUSERBASE: '/app/.python',
};

/** The tag of a plan's result. Installations and scopes never share one. */
export function cacheTag(owner: Owner, plan: Pick<BuildPlan, 'key' | 'kind' | 'scope'>): string {
  const name = createHash('sha256')
    .update(JSON.stringify([owner.install, plan.scope, plan.kind, plan.key]))
    .digest('hex');
  return `${REPOSITORY}:${name.slice(0, 40)}`;
}

/** The image behind a tag, or undefined. Throws InfraError. */
export async function findImage(
  client: DockerClient,
  tag: string,
  signal: AbortSignal,
): Promise<ImageId | undefined> {
  return (await inspectImage(client, tag, signal))?.Id;
}

/** An image that somebody else made, by any reference; undefined when the engine has none. */
export async function findForeignImage(
  client: DockerClient,
  reference: string,
  signal: AbortSignal,
): Promise<ForeignImage | undefined> {
  const info = await inspectImage(client, reference, signal);
  return info && { id: info.Id, volumes: Object.keys(info.Config?.Volumes ?? {}) };
}

async function inspectImage(client: DockerClient, reference: string, signal: AbortSignal) {
  try {
    return await client.call('look up an image', () => client.api.getImage(reference).inspect(), { signal });
  } catch (error) {
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/**
 * Keeps a container's files as an image. The engine fills what the given configuration leaves empty from the
 * container's own, so each field that a build could have set is given: user, command, entrypoint, folder, labels.
 * Throws InfraError.
 */
export async function commitBuild(
  client: DockerClient,
  container: string,
  tag: string,
  plan: Pick<BuildPlan, 'kind' | 'scope' | 'into'>,
  owner: Owner,
  signal: AbortSignal,
): Promise<ImageId> {
  const [repo = '', name = ''] = tag.split(':');
  const answer = await client.call(
    'keep a build',
    () =>
      postJson(client, {
        path: '/commit',
        query: { container, repo, tag: name, pause: 0 },
        body: {
          User: '10001:10001',
          Entrypoint: [],
          Cmd: ['/bin/false'],
          WorkingDir: plan.into,
          Healthcheck: { Test: ['NONE'] },
          Labels: {
            app: 'assay',
            'assay.install': owner.install,
            'assay.cache': plan.kind,
            'assay.scope': plan.scope,
            'assay.created': systemClock.now().toISOString(),
            // Those of the container and of the runtime's image, which would otherwise come along.
            'assay.image': '',
            'assay.digest': '',
            'assay.owner': '',
            'assay.run': '',
            'assay.epoch': '',
            'assay.role': '',
            'assay.expires': '',
          },
        },
        statusCodes: { 201: true, 404: 'no such container', 500: 'server error' },
      }),
    { deadlineMs: COMMIT_DEADLINE_MS, signal },
  );
  return (answer as { Id: ImageId }).Id;
}

/** How long and how much the cache keeps. */
export interface CacheLimits {
  maxAgeMs: number;
  /** Bytes that the images add to what they were built on, all together. */
  maxBytes: number;
  /** What was made or used this lately stays in any case, ms; undefined: ten minutes. */
  sparedMs?: number;
}

export interface CachedImage {
  id: ImageId;
  lastUsedMs: number;
  /** What it adds to its parent. */
  ownBytes: number;
  inUse: boolean;
}

/**
 * Chooses what to remove: all that was not used for `maxAgeMs`, then the longest unused until the rest fits. What a
 * container uses, another image is built on, or was used just now, stays. Pure.
 */
export function chooseVictims(
  images: readonly CachedImage[],
  limits: CacheLimits,
  nowMs: number,
): CachedImage[] {
  let totalBytes = images.reduce((sum, image) => sum + image.ownBytes, 0);
  const victims: CachedImage[] = [];
  for (const image of images.toSorted((a, b) => a.lastUsedMs - b.lastUsedMs)) {
    const free = !image.inUse && nowMs - image.lastUsedMs >= (limits.sparedMs ?? SPARED_MS);
    const unwanted = nowMs - image.lastUsedMs > limits.maxAgeMs || totalBytes > limits.maxBytes;
    if (free && unwanted) {
      victims.push(image);
      totalBytes -= image.ownBytes;
    }
  }
  return victims;
}

/** All cached images of an installation. `lastUsed` is what this process knows of their use, in Unix ms. */
export async function listCachedImages(
  client: DockerClient,
  install: string,
  lastUsed: ReadonlyMap<ImageId, number>,
  signal: AbortSignal,
): Promise<CachedImage[]> {
  const options = { deadlineMs: LIST_DEADLINE_MS, signal };
  const filters = { label: [APP_LABEL, `assay.install=${install}`, 'assay.cache'] };
  const [all, cached, containers] = await Promise.all([
    client.call('list images', () => client.api.listImages({ all: true }), options),
    client.call('list cached images', () => client.api.listImages({ filters }), options),
    client.call('list containers', () => client.api.listContainers({ all: true }), options),
  ]);
  const bytes = new Map(all.map((image) => [image.Id, image.Size]));
  const used = new Set([...containers.map((one) => one.ImageID), ...all.map((image) => image.ParentId)]);
  return cached.map((image) => ({
    id: image.Id,
    lastUsedMs: lastUsed.get(image.Id) ?? image.Created * 1000,
    ownBytes: Math.max(0, image.Size - (bytes.get(image.ParentId) ?? 0)),
    inUse: used.has(image.Id),
  }));
}
