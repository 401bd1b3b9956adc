import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { type ReviewedTree, reviewTree } from './leave-out.ts';
import type { IntakeLimits } from './limits.ts';
import { readDirectory, unreadable } from './read-directory.ts';
import { gunzipCounted } from './read-gzip.ts';
import { readTar } from './read-tar.ts';
import { readZip } from './read-zip.ts';
import { HAND_IN, refusal } from './refusals.ts';
import { SubmissionTree, tooLargePacked } from './submission-tree.ts';
import { hasTarMark } from './tar-header.ts';

type Format = 'zip' | 'gzip' | 'tar';

/** First bytes that people upload by mistake, to name them in the refusal. */
const KNOWN_OTHERS: readonly { mark: string; name: string }[] = [
  { mark: '7z\xbc\xaf\x27\x1c', name: 'a 7z archive' },
  { mark: 'Rar!', name: 'a RAR archive' },
  { mark: '\xfd7zXZ', name: 'an xz archive' },
  { mark: 'BZh', name: 'a bzip2 archive' },
  { mark: '\x28\xb5\x2f\xfd', name: 'a zstd archive' },
  { mark: '%PDF', name: 'a PDF' },
  { mark: '\x89PNG', name: 'an image' },
  { mark: 'GIF8', name: 'an image' },
  { mark: '\x7fELF', name: 'a program' },
];

/**
 * Reads a directory or an archive into memory, in this process. Parses hostile bytes: only the process made
 * for that may call it (inspect-child.ts). Throws IntakeError for anything that is wrong with the source.
 */
export async function inspectSource(path: string, limits: IntakeLimits): Promise<ReviewedTree> {
  const stats = await stat(path).catch((error: unknown) => {
    throw unreadable(basename(path), error);
  });
  if (stats.isDirectory()) {
    const tree = new SubmissionTree(limits);
    await readDirectory(path, tree, limits);
    return finish(tree);
  }
  if (!stats.isFile()) {
    throw refusal('ARCHIVE_TYPE', 'The submission is neither a file nor a folder.', HAND_IN);
  }
  return inspectArchive(await readArchive(path, limits), limits);
}

/** The same for an archive that is in memory already. */
export async function inspectArchive(archive: Buffer, limits: IntakeLimits): Promise<ReviewedTree> {
  if (archive.length > limits.compressedBytes) {
    throw tooLargePacked(limits);
  }
  const tree = new SubmissionTree(limits);
  switch (detectFormat(archive)) {
    case 'zip':
      await readZip(archive, tree, limits);
      break;
    case 'tar':
      await readTar(chunksOf(archive), tree, limits);
      break;
    case 'gzip':
      await readTar(gunzipCounted(archive, limits), tree, limits);
      break;
    case undefined:
      throw wrongType(archive);
  }
  return finish(tree);
}

function finish(tree: SubmissionTree): ReviewedTree {
  const reviewed = reviewTree(tree.nodes());
  if (!reviewed.nodes.some(({ kind }) => kind === 'file')) {
    throw refusal('NO_PROJECT', 'The submission holds no file to grade.', 'Pack the project folder itself.');
  }
  return reviewed;
}

/** Names and media types are the uploader's word; only the first bytes decide. */
function detectFormat(archive: Buffer): Format | undefined {
  const first = archive.subarray(0, 4).toString('latin1');
  if (first === 'PK\x03\x04' || first === 'PK\x05\x06') {
    return 'zip';
  }
  if (first.startsWith('\x1f\x8b')) {
    return 'gzip';
  }
  return hasTarMark(archive) ? 'tar' : undefined;
}

function wrongType(archive: Buffer): Error {
  const start = archive.subarray(0, 8).toString('latin1');
  const known = KNOWN_OTHERS.find(({ mark }) => start.startsWith(mark));
  const message = known ? `The upload is ${known.name}.` : 'The upload is not an archive that assay reads.';
  return refusal('ARCHIVE_TYPE', message, HAND_IN);
}

async function* chunksOf(archive: Buffer): AsyncGenerator<Buffer> {
  yield archive;
}

/** Reads one byte more than allowed at most, so that a growing file is noticed. */
async function readArchive(path: string, limits: IntakeLimits): Promise<Buffer> {
  const handle = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(basename(path), error);
  });
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of handle.createReadStream({ end: limits.compressedBytes, autoClose: false })) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks);
  } finally {
    await handle.close();
  }
}
