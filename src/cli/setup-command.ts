import type { EngineAccess } from '../compose.ts';
import { prepareImages } from '../sandbox/docker/images.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';

const IMAGES = ['base', 'pause', 'grader', 'runtime-node', 'runtime-python'];

/** Builds assay's own images where they are missing. */
export async function runSetup(access: EngineAccess, io: GradeIo, signal: AbortSignal): Promise<number> {
  await prepareImages(access.images, IMAGES, signal, (line) => io.stderr.write(`  ${line}\n`));
  return EXIT.passed;
}
