import { refusal } from './refusals.ts';

export const TAR_BLOCK_BYTES = 512;

/** The fields of one tar header that intake looks at. Owner and times are ignored on purpose. */
export interface TarHeader {
  /** Raw name, the ustar prefix joined on. */
  name: Buffer;
  mode: number;
  sizeBytes: number;
  /** The type flag as a character; NUL is given as "0". */
  type: string;
}

/** Reads one 512-byte header. Throws IntakeError ARCHIVE_CORRUPT when the checksum or a field is wrong. */
export function parseTarHeader(block: Buffer): TarHeader {
  const magic = block.toString('latin1', 257, 265);
  if (magic !== 'ustar\x0000' && magic !== 'ustar  \x00') {
    throw corruptTar('a header has no "ustar" mark');
  }
  if (parseNumber(block.subarray(148, 156)) !== tarChecksum(block)) {
    throw corruptTar('the checksum of a header is wrong');
  }
  const name = untilNul(block.subarray(0, 100));
  // GNU's own format keeps other fields where ustar has the prefix.
  const prefix = magic.endsWith('00') ? untilNul(block.subarray(345, 500)) : Buffer.alloc(0);
  return {
    name: prefix.length > 0 ? Buffer.concat([prefix, Buffer.from('/'), name]) : name,
    mode: parseNumber(block.subarray(100, 108)),
    sizeBytes: parseNumber(block.subarray(124, 136)),
    type: block[156] === 0 ? '0' : block.toString('latin1', 156, 157),
  };
}

/** Whether the first header of an archive has the mark that ustar, PAX and GNU tars share. */
export function hasTarMark(start: Buffer): boolean {
  return start.toString('latin1', 257, 262) === 'ustar';
}

/** The sum of the header's bytes with the checksum field read as spaces. */
export function tarChecksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let i = 0; i < TAR_BLOCK_BYTES; i += 1) {
    sum += i >= 148 && i < 156 ? 0 : (block[i] ?? 0);
  }
  return sum;
}

/** Bytes from the end of the content to the next block. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/** The refusal for a tar that contradicts the format; `what` completes "…: <what>." */
export function corruptTar(what: string): Error {
  return refusal(
    'ARCHIVE_CORRUPT',
    `The tar archive is damaged: ${what}.`,
    'Pack it again and upload it anew.',
  );
}

function untilNul(field: Buffer): Buffer {
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

function parseNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) {
    return parseBase256(field);
  }
  const text = field.toString('latin1');
  if (/^\0+$/.test(text)) {
    return 0;
  }
  const octal = /^ *([0-7]+)[ \0]*$/.exec(text)?.[1];
  if (octal === undefined) {
    throw corruptTar('a number of a header is not octal');
  }
  return Number.parseInt(octal, 8);
}

/** GNU's encoding of large numbers. Anything past 2^53 is clamped: it is over every limit anyway. */
function parseBase256(field: Buffer): number {
  if (field[0] !== 0x80) {
    throw corruptTar('a number of a header is negative');
  }
  const value = BigInt(`0x${field.toString('hex', 1)}`);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}
