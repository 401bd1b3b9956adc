import { refusal } from './refusals.ts';
import { corruptTar } from './tar-header.ts';

/** What PAX records may change about the entry that follows. */
export interface PaxOverrides {
  path?: Buffer;
  sizeBytes?: number;
}

/**
 * Reads the records of a PAX header and keeps `path` and `size`; times, owners, attributes and comments are
 * ignored. `global` records may not carry either: they would rename every entry that follows.
 * Throws IntakeError ARCHIVE_CORRUPT, ARCHIVE_LINK or ARCHIVE_UNSUPPORTED.
 */
export function parsePaxRecords(data: Buffer, global: boolean): PaxOverrides {
  const overrides: PaxOverrides = {};
  const seen = new Set<string>();
  for (const { key, value } of paxRecords(data)) {
    if (seen.has(key)) {
      throw corruptTar('a PAX header states the same key twice');
    }
    seen.add(key);
    applyRecord(overrides, key, value);
  }
  if (global && (overrides.path !== undefined || overrides.sizeBytes !== undefined)) {
    throw corruptTar('a global PAX header states a path or a size');
  }
  return overrides;
}

function* paxRecords(data: Buffer): Generator<{ key: string; value: Buffer }> {
  let start = 0;
  while (start < data.length) {
    const space = data.indexOf(0x20, start);
    const digits = space === -1 ? '' : data.toString('latin1', start, Math.min(space, start + 10));
    const end = /^[1-9]\d{0,8}$/.test(digits) ? start + Number(digits) : Number.NaN;
    const equals = data.indexOf(0x3d, space);
    // Written so that NaN fails too.
    if (!(end <= data.length && equals > space && equals < end && data[end - 1] === 0x0a)) {
      throw corruptTar('a PAX record is malformed');
    }
    yield { key: data.toString('utf8', space + 1, equals), value: data.subarray(equals + 1, end - 1) };
    start = end;
  }
}

function applyRecord(overrides: PaxOverrides, key: string, value: Buffer): void {
  if (key === 'path') {
    overrides.path = value;
  } else if (key === 'size') {
    overrides.sizeBytes = parseDecimal(value);
  } else if (key === 'linkpath') {
    const mend = 'Replace the link by the file it points to.';
    throw refusal('ARCHIVE_LINK', 'A PAX header states the target of a link.', mend);
  } else if (key.startsWith('GNU.sparse.')) {
    const mend = 'Pack without --sparse.';
    throw refusal('ARCHIVE_UNSUPPORTED', 'The tar archive stores a file as sparse.', mend);
  }
}

function parseDecimal(value: Buffer): number {
  const text = value.toString('latin1');
  if (!/^\d{1,15}$/.test(text)) {
    throw corruptTar('the size in a PAX header is not a number');
  }
  return Number(text);
}
