import { ByteReader } from './byte-reader.ts';
import { toEntryPath } from './entry-path.ts';
import type { IntakeLimits } from './limits.ts';
import { type PaxOverrides, parsePaxRecords } from './pax-records.ts';
import { HAND_IN, quoteName, refusal } from './refusals.ts';
import { type SubmissionTree, tooManyEntries } from './submission-tree.ts';
import {
  corruptTar,
  hasTarMark,
  parseTarHeader,
  TAR_BLOCK_BYTES,
  type TarHeader,
  tarPaddingBytes,
} from './tar-header.ts';

/** A PAX header or long name larger than this serves no honest purpose. */
const MAX_EXTENSION_BYTES = 256 * 1024;

const ZEROS = Buffer.alloc(16 * 1024);

/** What extension headers said about the entry that comes next. */
interface PendingEntry {
  pax?: PaxOverrides;
  longName?: Buffer;
}

interface TarInput {
  bytes: ByteReader;
  tree: SubmissionTree;
  limits: IntakeLimits;
}

/**
 * Reads a tar archive (ustar, PAX, GNU with long names) into `tree`. Long names and PAX paths are taken and
 * checked like any other name; a PAX size must agree with the header's; links, devices, sparse files and
 * continued volumes are refused; the archive must end with two zero blocks and nothing but zeros after them.
 *
 * Own code and not a library's: the rules need raw names, zero blocks, type flags and PAX records, which
 * parsers hide, and a check beside a parser is only as good as their agreement.
 * Throws IntakeError.
 */
export async function readTar(
  chunks: AsyncIterable<Buffer>,
  tree: SubmissionTree,
  limits: IntakeLimits,
): Promise<void> {
  const bytes = new ByteReader(chunks);
  try {
    await readEntries({ bytes, tree, limits });
  } finally {
    await bytes.close();
  }
}

async function readEntries(input: TarInput): Promise<void> {
  let pending: PendingEntry = {};
  let block = await readFirstBlock(input.bytes);
  for (let entries = 0; ; entries += 1) {
    if (isZero(block)) {
      await expectEnd(input.bytes, pending);
      return;
    }
    // Extension headers and "./" count too, or a stream of them would never end.
    if (entries > input.limits.entries * 2) {
      throw tooManyEntries(input.limits);
    }
    const header = parseTarHeader(block);
    if (isExtension(header.type)) {
      await readExtension(input.bytes, header, pending);
    } else {
      await readEntry(input, header, pending);
      pending = {};
    }
    block = await readBlock(input.bytes);
  }
}

/** What gzip holds shows only here; an empty tar has no header, only zeros. */
async function readFirstBlock(bytes: ByteReader): Promise<Buffer> {
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  const filled = await bytes.readInto(block);
  if (filled < TAR_BLOCK_BYTES || !(hasTarMark(block) || isZero(block))) {
    throw refusal('ARCHIVE_TYPE', 'The upload is compressed with gzip, but holds no tar.', HAND_IN);
  }
  return block;
}

function isExtension(type: string): boolean {
  return type === 'x' || type === 'g' || type === 'L';
}

async function readExtension(bytes: ByteReader, header: TarHeader, pending: PendingEntry): Promise<void> {
  if (header.sizeBytes > MAX_EXTENSION_BYTES) {
    throw corruptTar('an extension header is too large');
  }
  const data = await readContent(bytes, header.sizeBytes);
  if (header.type === 'g') {
    parsePaxRecords(data, true);
  } else if (header.type === 'x' && pending.pax === undefined) {
    pending.pax = parsePaxRecords(data, false);
  } else if (header.type === 'L' && pending.longName === undefined) {
    pending.longName = parseLongName(data);
  } else {
    throw corruptTar('two extension headers of one kind precede the same entry');
  }
}

/** The name runs to the one NUL that ends it. */
function parseLongName(data: Buffer): Buffer {
  if (data.length < 2 || data.indexOf(0) !== data.length - 1) {
    throw corruptTar('a GNU long name is not ended by its only NUL');
  }
  return data.subarray(0, -1);
}

async function readEntry(input: TarInput, header: TarHeader, pending: PendingEntry): Promise<void> {
  const rawName = effectiveName(header, pending);
  refuseType(header.type, rawName);
  if (pending.pax?.sizeBytes !== undefined && pending.pax.sizeBytes !== header.sizeBytes) {
    throw corruptTar(`the size of ${quoteName(rawName)} differs between its headers`);
  }
  const directory = header.type === '5' || rawName.at(-1) === 0x2f;
  if (directory && header.sizeBytes > 0) {
    throw corruptTar(`the folder ${quoteName(rawName)} has content`);
  }
  const name = stripDotAndSlash(rawName, directory);
  if (directory) {
    // "./" is the folder that was packed.
    if (name.length > 0) {
      input.tree.addDirectory(toEntryPath(name, input.limits));
    }
    return;
  }
  const path = toEntryPath(name, input.limits);
  const file = input.tree.addFile(path, header.sizeBytes, (header.mode & 0o100) !== 0);
  file.content = await readContent(input.bytes, header.sizeBytes);
}

function effectiveName(header: TarHeader, pending: PendingEntry): Buffer {
  if (pending.pax?.path !== undefined && pending.longName !== undefined) {
    throw corruptTar('an entry has two long names');
  }
  return pending.pax?.path ?? pending.longName ?? header.name;
}

function refuseType(type: string, rawName: Buffer): void {
  const name = quoteName(rawName);
  switch (type) {
    case '0':
    case '5':
      return;
    case '1':
    case '2':
    case 'K':
      throw refusal(
        'ARCHIVE_LINK',
        `${name} is a ${type === '1' ? 'hard' : 'symbolic'} link.`,
        'Replace it by the file it points to ("tar --dereference --hard-dereference"), or leave out node_modules and virtual environments.',
      );
    case '3':
    case '4':
    case '6':
      throw refusal('ARCHIVE_SPECIAL_FILE', `${name} is a device or a pipe.`, 'Leave it out.');
    default:
      throw refusal(
        'ARCHIVE_UNSUPPORTED',
        `${name} is a tar entry of a kind that is not accepted (type flag ${quoteName(type)}).`,
        'Pack plain files and folders, without --sparse, --multi-volume or --label.',
      );
  }
}

/** "./a/" is how tar names a folder when a folder is packed from inside. */
function stripDotAndSlash(rawName: Buffer, directory: boolean): Buffer {
  const relative = rawName.subarray(0, 2).equals(Buffer.from('./')) ? rawName.subarray(2) : rawName;
  if (!directory) {
    return relative;
  }
  const name = relative.at(-1) === 0x2f ? relative.subarray(0, -1) : relative;
  return name.equals(Buffer.from('.')) ? Buffer.alloc(0) : name;
}

async function readBlock(bytes: ByteReader): Promise<Buffer> {
  const block = Buffer.allocUnsafe(TAR_BLOCK_BYTES);
  if ((await bytes.readInto(block)) < TAR_BLOCK_BYTES) {
    throw corruptTar('it ends too early');
  }
  return block;
}

async function readContent(bytes: ByteReader, sizeBytes: number): Promise<Buffer> {
  const content = Buffer.allocUnsafeSlow(sizeBytes);
  const padding = Buffer.allocUnsafe(tarPaddingBytes(sizeBytes));
  const filled = (await bytes.readInto(content)) + (await bytes.readInto(padding));
  if (filled < content.length + padding.length) {
    throw corruptTar('it ends inside a file');
  }
  return content;
}

async function expectEnd(bytes: ByteReader, pending: PendingEntry): Promise<void> {
  if (pending.pax !== undefined || pending.longName !== undefined) {
    throw corruptTar('an extension header has no entry');
  }
  if (!isZero(await readBlock(bytes))) {
    throw corruptTar('an entry follows the end mark');
  }
  let trailingBytes = 0;
  for (let chunk = await bytes.readChunk(); chunk; chunk = await bytes.readChunk()) {
    if (!isZero(chunk)) {
      throw corruptTar('data follows the end mark');
    }
    trailingBytes += chunk.length;
  }
  if (trailingBytes % TAR_BLOCK_BYTES !== 0) {
    throw corruptTar('it ends inside a block');
  }
}

function isZero(bytes: Buffer): boolean {
  for (let start = 0; start < bytes.length; start += ZEROS.length) {
    const part = bytes.subarray(start, start + ZEROS.length);
    if (!part.equals(ZEROS.subarray(0, part.length))) {
      return false;
    }
  }
  return true;
}
