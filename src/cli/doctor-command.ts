import type { Grading } from '../compose.ts';
import { formatBytes } from '../domain/units.ts';
import { formatProofs, isProven, proveSandbox } from '../sandbox/docker/self-test.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';

/** Prints what the engine is and proves the sandbox on it. Answers 0 when every proof holds, else 3. */
export async function runDoctor(
  open: () => Promise<Grading>,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const grading = await open();
  try {
    const facts = await grading.engine.facts(signal);
    io.stdout.write(
      [
        `engine   ${facts.engine} ${facts.version} (API ${facts.apiVersion}), runtime ${facts.runtime}`,
        `machine  ${facts.cpus} CPUs, ${formatBytes(facts.memoryBytes)}, ${facts.os}, kernel ${facts.kernel}, ${facts.architecture}`,
        `storage  ${facts.storageDriver}, cgroup v${facts.cgroupVersion}`,
        '',
        '',
      ].join('\n'),
    );
    const image = await grading.engine.image('base', signal);
    const proofs = await proveSandbox({ engine: grading.engine, image }, signal);
    io.stdout.write(`${formatProofs(proofs)}\n`);
    return isProven(proofs) ? EXIT.passed : EXIT.ours;
  } finally {
    await grading.close();
  }
}
