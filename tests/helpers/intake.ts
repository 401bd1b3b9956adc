import { IntakeError } from '../../src/domain/errors.ts';
import { inspectArchive } from '../../src/intake/inspect-source.ts';
import type { ReviewedTree } from '../../src/intake/leave-out.ts';
import { DEFAULT_INTAKE_LIMITS, type IntakeLimits } from '../../src/intake/limits.ts';
import { isRefusalCode, REFUSALS, type RefusalCode } from '../../src/intake/refusals.ts';
import { sealTarHeader } from './archives.ts';

/** How an archive came out: the tree, or the refusal. Anything else is thrown. */
export interface Outcome {
  reviewed?: ReviewedTree;
  refused?: { code: RefusalCode; httpStatus: number; message: string; mend: string | undefined };
}

/** Reads an archive in this process. Rejects when it fails in any way but a refusal. */
export async function inspect(archive: Buffer, limits: Partial<IntakeLimits> = {}): Promise<Outcome> {
  try {
    return { reviewed: await inspectArchive(archive, { ...DEFAULT_INTAKE_LIMITS, ...limits }) };
  } catch (error) {
    if (!(error instanceof IntakeError) || !isRefusalCode(error.code)) {
      throw error;
    }
    const { code, message, mend } = error;
    return { refused: { code, httpStatus: REFUSALS[code].httpStatus, message, mend } };
  }
}

/** A copy of `archive` with one to four random changes: bytes, interesting values, cuts, repeats. */
export function mutate(archive: Buffer, random: () => number): Buffer {
  let mutant: Buffer = Buffer.from(archive);
  const changes = 1 + Math.floor(random() * 4);
  for (let i = 0; i < changes && mutant.length > 8; i += 1) {
    mutant = changeOnce(mutant, random);
  }
  return mutant;
}

function changeOnce(bytes: Buffer, random: () => number): Buffer {
  const at = Math.floor(random() * (bytes.length - 4));
  switch (Math.floor(random() * 6)) {
    case 0:
      bytes[at] = Math.floor(random() * 256);
      return bytes;
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      return bytes;
    case 2:
      bytes.writeUInt32LE([0, 1, 0xffff, 0x7fffffff, 0xffffffff][Math.floor(random() * 5)] ?? 0, at);
      return bytes;
    case 3:
      return bytes.subarray(0, at + 1);
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + Math.floor(random() * 64))]);
    default:
      return Buffer.concat([bytes.subarray(0, at + 4), bytes.subarray(at)]);
  }
}

/** Makes the checksums of a mutated tar right again, so that mutants reach what lies behind the check. */
export function resealTar(tar: Buffer): Buffer {
  const sealed = Buffer.from(tar);
  for (let start = 0; start + 512 <= sealed.length; start += 512) {
    const block = sealed.subarray(start, start + 512);
    if (block.toString('latin1', 257, 262) === 'ustar') {
      sealTarHeader(block);
    }
  }
  return sealed;
}
