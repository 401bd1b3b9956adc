/** One regular file or directory of a tar that is held in memory. */
export interface TarEntry {
  /** Relative, "/"-separated, without a trailing slash. */
  path: string;
  type: 'file' | 'directory';
  executable: boolean;
  /** Empty for a directory. A view of the tar it was read from, not a copy. */
  content: Buffer;
}

const BLOCK_BYTES = 512;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
/** Candidate and build run as this user, and own what is unpacked. */
const OWNER_ID = 10_001;

/**
 * Reads a tar that we wrote ourselves: ustar, long names as PAX records, nothing but files and directories.
 * Never give it bytes of a stranger: it checks no checksum and no name. Throws Error when it is no such tar.
 */
export function readTar(tar: Buffer): TarEntry[] {
  const entries: TarEntry[] = [];
  let offset = 0;
  let paxPath: string | undefined;
  while (offset + BLOCK_BYTES <= tar.length && tar[offset] !== 0) {
    const header = tar.subarray(offset, offset + BLOCK_BYTES);
    const sizeBytes = Number.parseInt(header.toString('latin1', 124, 136), 8);
    const start = offset + BLOCK_BYTES;
    if (!Number.isSafeInteger(sizeBytes) || start + sizeBytes > tar.length) {
      throw new Error(`the tar is cut off or damaged at byte ${offset}`);
    }
    const content = tar.subarray(start, start + sizeBytes);
    const type = header.toString('latin1', 156, 157);
    if (type === 'x') {
      paxPath = readPaxPath(content);
    } else {
      entries.push(toEntry(header, type, paxPath, content));
      paxPath = undefined;
    }
    offset = start + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  }
  return entries;
}

/** The content of one file, or undefined. Same trust as `readTar`. */
export function readTarEntry(tar: Buffer, path: string): Buffer | undefined {
  return readTar(tar).find((entry) => entry.type === 'file' && entry.path === path)?.content;
}

/**
 * Writes a tar in the order given, with fixed times, modes (0755 or 0644) and owners (10001), so that equal entries
 * give equal bytes. Paths must be relative and without "..".
 */
export function packTar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = [];
  for (const entry of entries) {
    const name = entry.type === 'directory' ? `${entry.path}/` : entry.path;
    const split = splitName(name);
    if (split === undefined) {
      const record = paxRecord('path', name);
      blocks.push(
        writeHeader({ name: 'long-name', prefix: '' }, 'x', 0o644, record.length),
        ...padded(record),
      );
    }
    const mode = entry.type === 'directory' || entry.executable ? 0o755 : 0o644;
    const type = entry.type === 'directory' ? '5' : '0';
    blocks.push(
      writeHeader(split ?? { name: 'long-name', prefix: '' }, type, mode, entry.content.length),
      ...padded(entry.content),
    );
  }
  blocks.push(Buffer.alloc(2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

function toEntry(header: Buffer, type: string, paxPath: string | undefined, content: Buffer): TarEntry {
  if (type !== '0' && type !== '5') {
    throw new Error(`the tar has an entry of type "${type}"`);
  }
  const prefix = untilNul(header.subarray(345, 500));
  const name = untilNul(header.subarray(0, NAME_BYTES));
  const path = paxPath ?? (prefix === '' ? name : `${prefix}/${name}`);
  return {
    path: path.replace(/^\.\//, '').replace(/\/+$/, ''),
    type: type === '5' ? 'directory' : 'file',
    executable: (Number.parseInt(header.toString('latin1', 100, 108), 8) & 0o111) !== 0,
    content,
  };
}

function untilNul(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end === -1 ? field.length : end);
}

function readPaxPath(records: Buffer): string | undefined {
  let offset = 0;
  let path: string | undefined;
  while (offset < records.length) {
    const space = records.indexOf(0x20, offset);
    const length = Number.parseInt(records.toString('latin1', offset, space), 10);
    if (space === -1 || !(length > 0)) {
      throw new Error('the tar has a damaged PAX record');
    }
    const record = records.toString('utf8', space + 1, offset + length - 1);
    path = record.startsWith('path=') ? record.slice('path='.length) : path;
    offset += length;
  }
  return path;
}

function paxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  const bodyBytes = Buffer.byteLength(body);
  // The length counts its own digits.
  let length = bodyBytes + String(bodyBytes).length;
  length = bodyBytes + String(length).length;
  return Buffer.from(`${length}${body}`);
}

interface SplitName {
  name: string;
  prefix: string;
}

function splitName(name: string): SplitName | undefined {
  if (Buffer.byteLength(name) <= NAME_BYTES) {
    return { name, prefix: '' };
  }
  for (let slash = name.indexOf('/'); slash !== -1; slash = name.indexOf('/', slash + 1)) {
    const rest = name.slice(slash + 1);
    if (rest !== '' && Buffer.byteLength(rest) <= NAME_BYTES) {
      const prefix = name.slice(0, slash);
      return Buffer.byteLength(prefix) <= PREFIX_BYTES ? { name: rest, prefix } : undefined;
    }
  }
  return undefined;
}

function writeHeader(split: SplitName, type: string, mode: number, sizeBytes: number): Buffer {
  const header = Buffer.alloc(BLOCK_BYTES);
  header.write(split.name, 0, NAME_BYTES, 'utf8');
  header.write(octal(mode, 7), 100);
  header.write(octal(OWNER_ID, 7), 108);
  header.write(octal(OWNER_ID, 7), 116);
  header.write(octal(sizeBytes, 11), 124);
  header.write(octal(0, 11), 136);
  header.fill(0x20, 148, 156);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(split.prefix, 345, PREFIX_BYTES, 'utf8');
  let sum = 0;
  for (const byte of header) {
    sum += byte;
  }
  header.write(`${octal(sum, 6)}\0 `, 148, 'latin1');
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

function padded(content: Buffer): Buffer[] {
  const rest = content.length % BLOCK_BYTES;
  return rest === 0 ? [content] : [content, Buffer.alloc(BLOCK_BYTES - rest)];
}
