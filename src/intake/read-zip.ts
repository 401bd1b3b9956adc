import { crc32, inflateRawSync } from 'node:zlib';
import { type Entry, fromBufferPromise } from 'yauzl';
import { IntakeError } from '../domain/errors.ts';
import { toEntryPath } from './entry-path.ts';
import type { IntakeLimits } from './limits.ts';
import { quoteName, refusal } from './refusals.ts';
import { checkRatio, type SubmissionTree, type TreeFile, tooManyEntries } from './submission-tree.ts';
import { checkZipLayout, corruptZip, encryptedZip, type ZipMember, zip64Refusal } from './zip-layout.ts';

const ZIP64_LOCATOR_MARK = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const END_RECORD_BYTES = 22;
const EXTRA_UNICODE_PATH = 0x7075;
const MODE_FORMAT = 0o170000;
const MODE_DIRECTORY = 0o040000;
const MODE_FILE = 0o100000;
const MODE_LINK = 0o120000;

/**
 * Reads a zip archive into `tree`. The directory is parsed by yauzl; names, modes, layout and contents are
 * checked here, because it lets links, duplicates, overlaps and broken encodings through.
 * Throws IntakeError.
 */
export async function readZip(archive: Buffer, tree: SubmissionTree, limits: IntakeLimits): Promise<void> {
  const { entries, commentBytes } = await readZipDirectory(archive, limits);
  // In the order of the archive, so that every limit is met at the same entry each time.
  const members = checkZipLayout(archive, entries, commentBytes);
  const expandedBytes = entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0);
  checkRatio(expandedBytes, archive.length, limits);
  // All names, kinds and sizes first: nothing is unpacked from an archive that will be refused anyway.
  const files = members.map((member) => ({ member, file: addMember(member, tree, limits) }));
  for (const { member, file } of files) {
    const content = readMember(archive, member);
    if (file) {
      file.content = content;
    }
  }
}

async function readZipDirectory(
  archive: Buffer,
  limits: IntakeLimits,
): Promise<{ entries: Entry[]; commentBytes: number }> {
  const entries: Entry[] = [];
  try {
    // Raw names: yauzl would decode broken UTF-8 to U+FFFD and guess a code page. Its own name rules go
    // with the decoding; ours (entry-path.ts) are stricter.
    const zip = await fromBufferPromise(archive, {
      decodeStrings: false,
      strictFileNames: true,
      validateEntrySizes: true,
    });
    if (zip.entryCount > limits.entries) {
      throw tooManyEntries(limits);
    }
    const commentBytes = zip.comment.length;
    refuseZip64(archive, commentBytes);
    for await (const entry of zip.eachEntry()) {
      entries.push(entry);
    }
    return { entries, commentBytes };
  } catch (error) {
    throw toZipRefusal(error);
  }
}

/** Nothing within the limits needs zip64, and its second set of sizes invites disagreement. */
function refuseZip64(archive: Buffer, commentBytes: number): void {
  const locatorStart = archive.length - commentBytes - END_RECORD_BYTES - ZIP64_LOCATOR_BYTES;
  if (locatorStart >= 0 && archive.readUInt32LE(locatorStart) === ZIP64_LOCATOR_MARK) {
    throw zip64Refusal();
  }
}

function toZipRefusal(error: unknown): unknown {
  if (error instanceof IntakeError || !(error instanceof Error)) {
    return error;
  }
  if (error.message.includes('encryption')) {
    return encryptedZip('An entry');
  }
  return corruptZip('it is truncated or its directory cannot be read');
}

/** Checks name, kind and size of a member and adds it to the tree. Files come back, to be filled later. */
function addMember(member: ZipMember, tree: SubmissionTree, limits: IntakeLimits): TreeFile | undefined {
  const { entry } = member;
  const rawName = effectiveName(entry);
  const namedDirectory = rawName.at(-1) === 0x2f;
  checkKind(entry, rawName, namedDirectory);
  if (namedDirectory) {
    tree.addDirectory(toEntryPath(rawName.subarray(0, -1), limits));
    return undefined;
  }
  const mode = entry.externalFileAttributes >>> 16;
  return tree.addFile(toEntryPath(rawName, limits), entry.uncompressedSize, (mode & 0o100) !== 0);
}

/** The name of the Unicode path field where it belongs to this name, else the name itself. */
function effectiveName(entry: Entry): Buffer {
  const field = entry.extraFields.find(({ id }) => id === EXTRA_UNICODE_PATH)?.data;
  const applies =
    field !== undefined &&
    field.length > 5 &&
    field[0] === 1 &&
    field.readUInt32LE(1) === crc32(entry.fileNameRaw);
  return applies ? field.subarray(5) : entry.fileNameRaw;
}

function checkKind(entry: Entry, rawName: Buffer, namedDirectory: boolean): void {
  const name = quoteName(rawName);
  // Read whatever system the archive says it comes from: that byte is the uploader's too.
  const format = (entry.externalFileAttributes >>> 16) & MODE_FORMAT;
  if (format === MODE_LINK) {
    const mend = 'Pack with "zip -r" without --symlinks, or leave out node_modules and virtual environments.';
    throw refusal('ARCHIVE_LINK', `${name} is a symbolic link.`, mend);
  }
  if (format !== 0 && format !== MODE_FILE && format !== MODE_DIRECTORY) {
    throw refusal('ARCHIVE_SPECIAL_FILE', `${name} is a device, pipe or socket.`, 'Leave it out.');
  }
  if ((format === MODE_DIRECTORY) !== namedDirectory && format !== 0) {
    throw corruptZip(`${name} is a folder by name or by mode, but not by both`);
  }
  if (namedDirectory && entry.uncompressedSize !== 0) {
    throw corruptZip(`the folder ${name} has content`);
  }
}

function readMember(archive: Buffer, { entry, dataStart, dataEnd }: ZipMember): Buffer {
  const name = quoteName(entry.fileNameRaw);
  const packed = archive.subarray(dataStart, dataEnd);
  const content = entry.compressionMethod === 0 ? Buffer.from(packed) : inflate(packed, entry, name);
  if (content.length !== entry.uncompressedSize) {
    throw corruptZip(`${name} is not as long as its header says`);
  }
  if (crc32(content) !== entry.crc32) {
    throw corruptZip(`the checksum of ${name} is wrong`);
  }
  return content;
}

/** Unpacks at most as many bytes as the header says, so that a lying header costs nothing. */
function inflate(packed: Buffer, entry: Entry, name: string): Buffer {
  try {
    const { buffer, engine } = inflateRawSync(packed, {
      info: true,
      maxOutputLength: Math.max(1, entry.uncompressedSize),
    }) as unknown as InflateResult;
    if (engine.bytesWritten !== packed.length) {
      throw corruptZip(`bytes follow the packed data of ${name}`);
    }
    return buffer;
  } catch (error) {
    if (error instanceof IntakeError) {
      throw error;
    }
    throw corruptZip(`the packed data of ${name} is broken or longer than its header says`);
  }
}

/** What zlib returns for `info: true`; its published types leave this form out. */
interface InflateResult {
  buffer: Buffer;
  engine: { bytesWritten: number };
}
