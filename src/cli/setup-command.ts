import type { EngineAccess } from '../compose.ts';
import { prepareImages } from '../sandbox/docker/images.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';

const IMAGES = ['base', 'pause', 'grader', 'runtime-node', 'runtime-python'];
/** Built on first use otherwise. */
const MORE_IMAGES = ['runtime-go', 'locust', 'postgres', 'redis'];

/** Builds assay's own images where they are missing: those that most runs need, or with `all` every one. */
export async function runSetup(
  access: EngineAccess,
  all: boolean,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const names = all ? [...IMAGES, ...MORE_IMAGES] : IMAGES;
  await prepareImages(access.images, names, signal, (line) => io.stderr.write(`  ${line}\n`));
  return EXIT.passed;
}
