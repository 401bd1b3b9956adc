import { createHash } from 'node:crypto';
import { InfraError } from '../../domain/errors.ts';
import { formatMs } from '../../domain/units.ts';
import { systemClock } from '../../shared/clock.ts';
import type { ImageId } from '../sandbox-engine.ts';
import { engineStatus, type DockerClient } from './docker-client.ts';
import { buildImage } from './image-build.ts';
import { packImageContext, readImageContext, type ImageContext } from './image-context.ts';
import type { ContextHost } from './image-files.ts';
import { APP_LABEL } from './labels.ts';
import { makeSharedWork } from './shared-work.ts';

/** Our own images, built on first use and found again by the digest of what they are built from. */
export interface ImageStore {
  /**
   * The id of the image docker/<name>/, building it and what it builds on where missing. Concurrent calls for one
   * name share one build; a call that is aborted leaves it to the others. Throws InfraError.
   */
  image(name: string, signal: AbortSignal, onProgress?: (line: string) => void): Promise<ImageId>;
}

export interface ImageStoreOptions extends ContextHost {
  client: DockerClient;
}

/** Compiling a standard library takes minutes on a machine that is busy with other things. */
const BUILD_DEADLINE_MS = 1_800_000;
const REPOSITORY = 'assay';
const MAX_STEP_CHARS = 100;
/** Another checkout on this host may still use its own tags; a day without a new build of them is long enough. */
const KEEP_OLD_TAGS_MS = 24 * 3_600_000;

/** Makes the store of one engine. Holds no resources. */
export function makeImageStore(options: ImageStoreOptions): ImageStore {
  const flights = makeSharedWork<ImageId>();
  const digests = new Map<string, Promise<string>>();
  const store: ImageStore = {
    image(name, signal, onProgress) {
      return flights.join(
        name,
        (flightSignal, report) => findOrBuild(options, store, digests, name, flightSignal, report),
        signal,
        onProgress,
      );
    },
  };
  return store;
}

/**
 * Makes the named images ready, as many at a time as depend on nothing unfinished. Returns their ids by name.
 * `onProgress` gets lines that begin with the image's name. Throws the first InfraError, after the others ended.
 */
export async function prepareImages(
  store: ImageStore,
  names: readonly string[],
  signal: AbortSignal,
  onProgress: (line: string) => void = () => undefined,
): Promise<Map<string, ImageId>> {
  const results = await Promise.allSettled(
    names.map(async (name) => store.image(name, signal, (line) => onProgress(`${name}: ${line}`))),
  );
  const ids = new Map<string, ImageId>();
  for (const [index, name] of names.entries()) {
    const result = results[index];
    if (result?.status === 'rejected') {
      throw result.reason;
    }
    if (result) {
      ids.set(name, result.value);
    }
  }
  return ids;
}

async function findOrBuild(
  options: ImageStoreOptions,
  store: ImageStore,
  digests: Map<string, Promise<string>>,
  name: string,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<ImageId> {
  const digest = await digestOf(options, digests, name, signal);
  const tag = `${REPOSITORY}/${name}:${digest.slice(0, 12)}`;
  const known = await imageIdOf(options.client, tag, signal);
  if (known !== undefined) {
    return known;
  }
  const context = await readImageContext(options.root, name);
  const parent = isEngineTag(context.parent)
    ? context.parent
    : await parentOf(store, context, signal, report);
  report('building');
  const startMs = systemClock.elapsedMs();
  const built = await buildImage(
    options.client,
    {
      context: await packImageContext(context, options, signal),
      tag,
      buildArgs: { BASE: parent },
      labels: { app: 'assay', 'assay.image': name, 'assay.digest': digest },
      deadlineMs: BUILD_DEADLINE_MS,
    },
    // What the commands print is for the error of a failed build; a step is news.
    (line) => {
      if (/^Step \d/.test(line)) {
        report(line.slice(0, MAX_STEP_CHARS));
      }
    },
    signal,
  );
  report(`built in ${formatMs(systemClock.elapsedMs() - startMs)}`);
  await removeOldTags(options.client, name, tag, signal);
  // Of two processes that built at once the later owns the tag; both images are sound, and one id is better than two.
  return (await imageIdOf(options.client, tag, signal)) ?? built;
}

async function parentOf(
  store: ImageStore,
  context: ImageContext,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<ImageId> {
  report(`builds on ${context.parent}`);
  // The lines of a parent that several images wait for are shown once: by the one that was asked for it by name.
  return store.image(context.parent, signal);
}

/**
 * Digest of an image's context and of all it builds on. It names parents by their digests, not by image ids, so that
 * two builds of one parent do not give two names to the child. Kept for the life of the process.
 */
async function digestOf(
  options: ImageStoreOptions,
  digests: Map<string, Promise<string>>,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const known = digests.get(name);
  if (known) {
    return known;
  }
  const fresh = computeDigest(options, digests, name, signal);
  digests.set(name, fresh);
  fresh.catch(() => digests.delete(name));
  return fresh;
}

async function computeDigest(
  options: ImageStoreOptions,
  digests: Map<string, Promise<string>>,
  name: string,
  signal: AbortSignal,
): Promise<string> {
  const context = await readImageContext(options.root, name);
  const parentDigest = isEngineTag(context.parent)
    ? await baseImageId(options.client, context.parent, signal)
    : await digestOf(options, digests, context.parent, signal);
  return createHash('sha256').update(`${name}\0${context.digest}\0${parentDigest}`).digest('hex');
}

function isEngineTag(parent: string): boolean {
  return parent.includes(':');
}

async function baseImageId(client: DockerClient, tag: string, signal: AbortSignal): Promise<string> {
  const id = await imageIdOf(client, tag, signal);
  if (id === undefined) {
    throw new InfraError('BASE_IMAGE_MISSING', `the engine has no image ${tag} to build on`, {
      mend: 'run "npm run setup", which pulls or makes it',
    });
  }
  return id;
}

async function imageIdOf(
  client: DockerClient,
  tag: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const info = await client.call(`inspect image ${tag}`, () => client.api.getImage(tag).inspect(), {
      signal,
    });
    return info.Id;
  } catch (error) {
    if (engineStatus(error) === 404) {
      return undefined;
    }
    throw error;
  }
}

/** Best effort: an old image that a container still uses stays until the next build. */
async function removeOldTags(
  client: DockerClient,
  name: string,
  keep: string,
  signal: AbortSignal,
): Promise<void> {
  const filters = { label: [APP_LABEL, `assay.image=${name}`] };
  const images = await client.call('list images', () => client.api.listImages({ filters }), { signal });
  const oldest = systemClock.now().getTime() - KEEP_OLD_TAGS_MS;
  const tags = images
    .filter((image) => image.Created * 1000 < oldest)
    .flatMap((image) => image.RepoTags ?? [])
    .filter((tag) => tag !== keep && tag.startsWith(`${REPOSITORY}/${name}:`));
  await Promise.allSettled(
    tags.map((tag) =>
      client.call(`remove image ${tag}`, () => client.api.getImage(tag).remove(), { signal }),
    ),
  );
}
