import type { EngineAccess } from '../open-engine.ts';
import { prepareImages } from '../sandbox/docker/images.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { writeSchemas } from './schema-command.ts';

const IMAGES = ['base', 'pause', 'grader', 'runtime-node', 'runtime-python'];
/** Built on first use otherwise. */
const MORE_IMAGES = ['runtime-go', 'locust', 'vitest', 'postgres', 'redis'];

/**
 * Builds assay's own images where they are missing, those that most runs need, or with `all` every one, and writes the
 * schemas for editors into `home`.
 */
export async function runSetup(
  access: EngineAccess,
  { all, home }: { all: boolean; home: string },
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  await writeSchemas(home);
  const names = all ? [...IMAGES, ...MORE_IMAGES] : IMAGES;
  await prepareImages(access.images, names, signal, (line) => io.stderr.write(`  ${line}\n`));
  return EXIT.passed;
}
