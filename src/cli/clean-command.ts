import type { EngineAccess } from '../open-engine.ts';
import { sweepOrphans } from '../sandbox/docker/cleanup.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';

/** Removes what dead runs of this installation left. Answers 3 when something could not be removed. */
export async function runClean(access: EngineAccess, io: GradeIo): Promise<number> {
  const { removed, left } = await sweepOrphans(access.client, access.install);
  io.stdout.write(
    removed.length === 0 ? 'Nothing was left behind.\n' : `Removed ${removed.length} objects.\n`,
  );
  for (const object of left) {
    io.stderr.write(`${object.id.slice(0, 12)} could not be removed: ${object.reason}\n`);
  }
  return left.length === 0 ? EXIT.passed : EXIT.ours;
}
