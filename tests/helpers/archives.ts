import { crc32, deflateRawSync } from 'node:zlib';

/** One zip entry. Everything but the name has an honest default; each field can be made to lie. */
export interface ZipEntrySpec {
  name: string | Buffer;
  content?: string | Buffer;
  method?: number;
  /** Packed bytes as they are stored, whatever the content says. */
  packed?: Buffer;
  /** Full Unix mode, file type included; 0 leaves it out. */
  mode?: number;
  flags?: number;
  extra?: Buffer;
  claimedBytes?: number;
  claimedPackedBytes?: number;
  claimedCrc32?: number;
  localName?: string | Buffer;
  /** Points the directory at this local header and writes none. */
  localOffset?: number;
  /** Writes sizes after the data; zeros them in the local header. */
  descriptor?: 'marked' | 'plain';
  /** Bytes between this entry and the next. */
  junkAfter?: Buffer;
}

export interface ZipOptions {
  comment?: Buffer;
  before?: Buffer;
  after?: Buffer;
  claimedEntries?: number;
  /** Writes the zip64 end record and locator with this number of entries. */
  zip64Entries?: number;
}

/** Writes a zip archive byte by byte. */
export function buildZip(entries: readonly ZipEntrySpec[], options: ZipOptions = {}): Buffer {
  const body: Buffer[] = [options.before ?? Buffer.alloc(0)];
  const directory: Buffer[] = [];
  let offset = body[0]?.length ?? 0;
  for (const entry of entries) {
    const { local, central } = zipHeaders(entry, entry.localOffset ?? offset);
    const parts = entry.localOffset === undefined ? [local, entry.junkAfter ?? Buffer.alloc(0)] : [];
    for (const part of parts) {
      body.push(part);
      offset += part.length;
    }
    directory.push(central);
  }
  const central = Buffer.concat(directory);
  const zip64 =
    options.zip64Entries === undefined ? [] : zip64End(options.zip64Entries, offset, central.length);
  const count = options.claimedEntries ?? entries.length & 0xffff;
  const comment = options.comment ?? Buffer.alloc(0);
  const end = fields(
    [0x06054b50, 4],
    [0, 2],
    [0, 2],
    [count, 2],
    [count, 2],
    [central.length, 4],
    [offset, 4],
    [comment.length, 2],
  );
  return Buffer.concat([...body, central, ...zip64, end, comment, options.after ?? Buffer.alloc(0)]);
}

type Field = readonly [value: number, bytes: 2 | 4];

function zipHeaders(entry: ZipEntrySpec, offset: number): { local: Buffer; central: Buffer } {
  const { name, packed, common, sizes } = zipCommonFields(entry);
  const localName = Buffer.from(entry.localName ?? entry.name);
  const extra = entry.extra ?? Buffer.alloc(0);
  const localSizes = entry.descriptor ? sizes.map((): Field => [0, 4]) : sizes;
  const mark: Field[] = entry.descriptor === 'marked' ? [[0x08074b50, 4]] : [];
  const descriptor = entry.descriptor ? fields(...mark, ...sizes) : Buffer.alloc(0);
  const local = Buffer.concat([
    fields([0x04034b50, 4], ...common, ...localSizes, [localName.length, 2], [extra.length, 2]),
    localName,
    extra,
    packed,
    descriptor,
  ]);
  const mode = entry.mode ?? (name.at(-1) === 0x2f ? 0o040755 : 0o100644);
  const central = Buffer.concat([
    fields([0x02014b50, 4], [0x0314, 2], ...common, ...sizes, [name.length, 2], [extra.length, 2]),
    fields([0, 2], [0, 2], [0, 2], [(mode << 16) >>> 0, 4], [offset, 4]),
    name,
    extra,
  ]);
  return { local, central };
}

interface ZipCommonFields {
  name: Buffer;
  packed: Buffer;
  /** Version, flags, method and time. */
  common: Field[];
  /** Checksum, packed size, size. */
  sizes: Field[];
}

function zipCommonFields(entry: ZipEntrySpec): ZipCommonFields {
  const content = Buffer.from(entry.content ?? '');
  const method = entry.method ?? (content.length > 0 ? 8 : 0);
  const packed = entry.packed ?? (method === 8 ? deflateRawSync(content) : content);
  const flags = (entry.flags ?? 0x0800) | (entry.descriptor ? 0x0008 : 0);
  return {
    name: Buffer.from(entry.name),
    packed,
    common: [
      [20, 2],
      [flags, 2],
      [method, 2],
      [0, 4],
    ],
    sizes: [
      [entry.claimedCrc32 ?? crc32(content), 4],
      [entry.claimedPackedBytes ?? packed.length, 4],
      [entry.claimedBytes ?? content.length, 4],
    ],
  };
}

function zip64End(entries: number, directoryStart: number, directoryBytes: number): Buffer[] {
  const end = fields([0x06064b50, 4], [44, 4], [0, 4], [45, 2], [45, 2], [0, 4], [0, 4]);
  const counts = fields([entries, 4], [0, 4], [entries, 4], [0, 4]);
  const place = fields([directoryBytes, 4], [0, 4], [directoryStart, 4], [0, 4]);
  const locator = fields([0x07064b50, 4], [0, 4], [directoryStart + directoryBytes, 4], [0, 4], [1, 4]);
  return [end, counts, place, locator];
}

/** An extra field of a zip header. */
export function zipExtra(id: number, data: Buffer): Buffer {
  return Buffer.concat([fields([id, 2], [data.length, 2]), data]);
}

/** Little-endian fields: [value, bytes]. */
function fields(...specs: readonly Field[]): Buffer {
  return Buffer.concat(
    specs.map(([value, bytes]) => {
      const field = Buffer.alloc(bytes);
      field.writeUIntLE(value, 0, bytes);
      return field;
    }),
  );
}

/** One tar entry. Everything but the name has an honest default; each field can be made to lie. */
export interface TarEntrySpec {
  name: string | Buffer;
  content?: string | Buffer;
  /** The type flag; "0" for a file. */
  type?: string;
  mode?: number;
  uid?: number;
  linkname?: string;
  /** Raw bytes of the size field. */
  sizeField?: Buffer;
  claimedBytes?: number;
  format?: 'ustar' | 'gnu' | 'v7';
  /** Added to the checksum. */
  checksumError?: number;
}

/** Writes tar entries and the end mark (two zero blocks unless given). */
export function buildTar(
  entries: readonly (TarEntrySpec | Buffer)[],
  end: Buffer = Buffer.alloc(1024),
): Buffer {
  const parts = entries.map((entry) => (Buffer.isBuffer(entry) ? entry : tarEntry(entry)));
  return Buffer.concat([...parts, end]);
}

/** One header with its padded content. */
export function tarEntry(entry: TarEntrySpec): Buffer {
  const content = Buffer.from(entry.content ?? '');
  const block = Buffer.alloc(512);
  Buffer.from(entry.name).copy(block, 0, 0, 100);
  block.write(octal(entry.mode ?? 0o644, 7), 100);
  block.write(octal(entry.uid ?? 0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(entry.claimedBytes ?? content.length, 11), 124);
  entry.sizeField?.copy(block, 124);
  block.write(octal(1_700_000_000, 11), 136);
  block.write(entry.type ?? '0', 156, 'latin1');
  block.write(entry.linkname ?? '', 157);
  const magic = { ustar: 'ustar\x0000', gnu: 'ustar  \x00', v7: '' }[entry.format ?? 'ustar'];
  block.write(magic, 257, 'latin1');
  sealTarHeader(block, entry.checksumError ?? 0);
  return Buffer.concat([block, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** Writes the checksum that the header needs, plus `error`. */
export function sealTarHeader(block: Buffer, error = 0): void {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum + error, 6)}\0 `, 148, 'latin1');
}

/** A PAX header ("x", or "g" for a global one) with records as given, lengths computed. */
export function paxHeader(records: readonly (readonly [string, string])[], type = 'x'): Buffer {
  const content = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  return tarEntry({ name: 'PaxHeader/x', type, content });
}

function paxRecord(key: string, value: string): Buffer {
  const rest = ` ${key}=${value}\n`;
  let bytes = Buffer.byteLength(rest);
  while (bytes !== Buffer.byteLength(`${bytes}${rest}`)) {
    bytes = Buffer.byteLength(`${bytes}${rest}`);
  }
  return Buffer.from(`${bytes}${rest}`);
}

/** GNU's header for a long name. */
export function gnuLongName(name: string | Buffer, end = '\0'): Buffer {
  const content = Buffer.concat([Buffer.from(name), Buffer.from(end)]);
  return tarEntry({ name: '././@LongLink', type: 'L', format: 'gnu', content });
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}

/** Random numbers in [0, 1) that repeat with the seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
