import type { Entry } from 'yauzl';
import { quoteName, refusal } from './refusals.ts';

const LOCAL_HEADER_BYTES = 30;
const LOCAL_HEADER_MARK = 0x04034b50;
const DESCRIPTOR_MARK = 0x08074b50;
const CENTRAL_HEADER_BYTES = 46;
const END_RECORD_BYTES = 22;
const FLAG_ENCRYPTED = 0x0001;
const FLAG_DESCRIPTOR = 0x0008;
const FLAG_CENTRAL_ENCRYPTED = 0x2000;
const EXTRA_ZIP64 = 0x0001;

/** One entry and where its packed bytes are in the archive. */
export interface ZipMember {
  entry: Entry;
  /** Offset of the local header. */
  start: number;
  dataStart: number;
  dataEnd: number;
}

/**
 * Checks that the archive is exactly its entries, its directory and its end record: every byte belongs to
 * one of them, none to two, and local headers agree with the directory. A zip that two readers could take
 * for two different trees does not pass. Returns the members in the order of the archive.
 * Throws IntakeError ARCHIVE_CORRUPT, ARCHIVE_OVERLAP, ARCHIVE_ENCRYPTED or ARCHIVE_UNSUPPORTED.
 */
export function checkZipLayout(
  archive: Buffer,
  entries: readonly Entry[],
  commentBytes: number,
): ZipMember[] {
  const directoryStart = checkEndRecord(archive, entries, commentBytes);
  for (const entry of entries) {
    refuseFeatures(entry);
  }
  const members = entries
    .toSorted((a, b) => a.relativeOffsetOfLocalHeader - b.relativeOffsetOfLocalHeader)
    .map((entry) => locate(archive, entry, directoryStart));
  if (members[0] && members[0].start !== 0) {
    throw corruptZip('there are unexplained bytes before its first entry');
  }
  const nextStarts = members.map((_, index) => members[index + 1]?.start ?? directoryStart);
  checkOverlap(members, nextStarts);
  for (const [index, member] of members.entries()) {
    checkAgreement(archive, member);
    checkTail(archive, member, nextStarts[index] ?? directoryStart);
  }
  return members;
}

/** Checks the end record against what was read of the directory and returns where the directory starts. */
function checkEndRecord(archive: Buffer, entries: readonly Entry[], commentBytes: number): number {
  const endStart = archive.length - END_RECORD_BYTES - commentBytes;
  const directoryBytes = archive.readUInt32LE(endStart + 12);
  const directoryStart = archive.readUInt32LE(endStart + 16);
  const readBytes = entries.reduce((sum, entry) => sum + centralHeaderBytes(entry), 0);
  if (archive.readUInt16LE(endStart + 8) !== archive.readUInt16LE(endStart + 10)) {
    throw refusal('ARCHIVE_UNSUPPORTED', 'The zip archive is one of several parts.', 'Pack into one file.');
  }
  if (directoryBytes !== readBytes || directoryStart + directoryBytes !== endStart) {
    throw corruptZip('its directory is not where or as long as its end record says');
  }
  if (entries.length === 0 && directoryStart !== 0) {
    throw corruptZip('there are unexplained bytes before its directory');
  }
  return directoryStart;
}

function centralHeaderBytes(entry: Entry): number {
  return CENTRAL_HEADER_BYTES + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
}

function refuseFeatures(entry: Entry): void {
  const name = quoteName(entry.fileNameRaw);
  if ((entry.generalPurposeBitFlag & (FLAG_ENCRYPTED | FLAG_CENTRAL_ENCRYPTED)) !== 0) {
    throw encryptedZip(name);
  }
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
    const message = `${name} is compressed with method ${entry.compressionMethod}.`;
    throw refusal('ARCHIVE_UNSUPPORTED', message, 'Pack with the usual method, "zip -r".');
  }
  if (entry.extraFields.some((field) => field.id === EXTRA_ZIP64)) {
    throw zip64Refusal();
  }
}

function locate(archive: Buffer, entry: Entry, directoryStart: number): ZipMember {
  const start = entry.relativeOffsetOfLocalHeader;
  if (start + LOCAL_HEADER_BYTES > directoryStart || archive.readUInt32LE(start) !== LOCAL_HEADER_MARK) {
    throw corruptZip(`${quoteName(entry.fileNameRaw)} has no local header`);
  }
  const nameAndExtraBytes = archive.readUInt16LE(start + 26) + archive.readUInt16LE(start + 28);
  const dataStart = start + LOCAL_HEADER_BYTES + nameAndExtraBytes;
  return { entry, start, dataStart, dataEnd: dataStart + entry.compressedSize };
}

function checkOverlap(members: readonly ZipMember[], nextStarts: readonly number[]): void {
  const overlapping = members.find((member, index) => member.dataEnd > (nextStarts[index] ?? 0));
  if (overlapping) {
    const message = `${quoteName(overlapping.entry.fileNameRaw)} overlaps what follows it.`;
    throw refusal('ARCHIVE_OVERLAP', message, 'Pack again with a common zip tool.');
  }
}

function checkAgreement(archive: Buffer, { entry, start }: ZipMember): void {
  const nameStart = start + LOCAL_HEADER_BYTES;
  const localName = archive.subarray(nameStart, nameStart + archive.readUInt16LE(start + 26));
  const agrees =
    archive.readUInt16LE(start + 6) === entry.generalPurposeBitFlag &&
    archive.readUInt16LE(start + 8) === entry.compressionMethod &&
    localName.equals(entry.fileNameRaw) &&
    localSizesAgree(archive, start, entry);
  if (!agrees) {
    throw corruptZip(`the two headers of ${quoteName(entry.fileNameRaw)} differ`);
  }
}

/** With a data descriptor, the local header may leave checksum and sizes at zero. */
function localSizesAgree(archive: Buffer, start: number, entry: Entry): boolean {
  const local = [14, 18, 22].map((offset) => archive.readUInt32LE(start + offset));
  const central = [entry.crc32, entry.compressedSize, entry.uncompressedSize];
  const mayBeZero = (entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) !== 0;
  return local.every((value, index) => value === central[index] || (mayBeZero && value === 0));
}

/** Between an entry's data and what comes next there may only be its data descriptor. */
function checkTail(archive: Buffer, { entry, dataEnd }: ZipMember, nextStart: number): void {
  const name = quoteName(entry.fileNameRaw);
  const gapBytes = nextStart - dataEnd;
  if ((entry.generalPurposeBitFlag & FLAG_DESCRIPTOR) === 0) {
    if (gapBytes !== 0) {
      throw corruptZip(`there are unexplained bytes after ${name}`);
    }
    return;
  }
  const marked = gapBytes === 16 && archive.readUInt32LE(dataEnd) === DESCRIPTOR_MARK;
  if (!marked && gapBytes !== 12) {
    throw corruptZip(`the data descriptor of ${name} is missing or too long`);
  }
  const start = marked ? dataEnd + 4 : dataEnd;
  const described = [0, 4, 8].map((offset) => archive.readUInt32LE(start + offset));
  const central = [entry.crc32, entry.compressedSize, entry.uncompressedSize];
  if (described.some((value, index) => value !== central[index])) {
    throw corruptZip(`the data descriptor of ${name} differs from the directory`);
  }
}

/** The refusal for a zip that contradicts the format or itself; `what` completes "…: <what>." */
export function corruptZip(what: string): Error {
  return refusal(
    'ARCHIVE_CORRUPT',
    `The zip archive is damaged: ${what}.`,
    'Pack it again and upload it anew.',
  );
}

/** The refusal for a password; `name` is quoted already. */
export function encryptedZip(name: string): Error {
  return refusal('ARCHIVE_ENCRYPTED', `${name} is encrypted.`, 'Pack without a password.');
}

/** The refusal for zip64, which nothing within the limits needs. */
export function zip64Refusal(): Error {
  const message = 'The zip archive uses the zip64 extension.';
  return refusal('ARCHIVE_UNSUPPORTED', message, 'Pack the folder itself with "zip -r", not from a pipe.');
}
