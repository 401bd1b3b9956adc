import { AssayError } from '../domain/errors.ts';
import type { ImageId, SandboxEngine } from '../sandbox/sandbox-engine.ts';
import type { StagePlan } from './stages/stage-plan.ts';

/** The ids of the author's own images, by the name in the challenge. */
export type OwnImages = ReadonlyMap<string, ImageId>;

/**
 * Looks up every image of the author's own that the stages name, once for the whole run: what a name stands for may
 * change meanwhile. Throws AssayError for one that cannot be used, before the build rather than after the first stages.
 */
export async function findOwnImages(
  stages: readonly StagePlan[],
  engine: Pick<SandboxEngine, 'foreignImage'>,
  signal: AbortSignal,
): Promise<OwnImages> {
  const names = stages.flatMap(({ tasks }) => tasks.filter(({ own }) => own).map(({ grader }) => grader));
  const images = new Map<string, ImageId>();
  for (const name of new Set(names)) {
    images.set(name, await findOwnImage(name, engine, signal));
  }
  return images;
}

async function findOwnImage(
  name: string,
  engine: Pick<SandboxEngine, 'foreignImage'>,
  signal: AbortSignal,
): Promise<ImageId> {
  const image = await engine.foreignImage(name, signal);
  if (image === undefined) {
    throw new AssayError('GRADER_IMAGE_MISSING', 'spec', `the engine has no image "${name}"`, {
      mend: `build or pull it on every machine that runs a worker: docker pull ${name}`,
    });
  }
  // The engine would make each a place to write without limits.
  if (image.volumes.length > 0) {
    const message = `the image "${name}" declares volumes, which a grader cannot have: ${image.volumes.join(', ')}`;
    throw new AssayError('GRADER_IMAGE_VOLUMES', 'spec', message, {
      mend: 'build it without VOLUME, from a base image without one',
    });
  }
  return image.id;
}
