import { formatBytes } from '../domain/units.ts';
import { toCaseKey } from './entry-path.ts';
import type { IntakeLimits } from './limits.ts';
import { quoteName, refusal } from './refusals.ts';

export interface TreeFile {
  kind: 'file';
  path: string;
  executable: boolean;
  content: Buffer;
}

interface TreeDirectory {
  kind: 'directory';
  path: string;
  /** Named by an entry of its own, not only by the path of something inside. */
  explicit: boolean;
}

export type TreeNode = TreeFile | TreeDirectory;

const TOO_MUCH = 'Leave out .git, dependencies, data sets and build output.';

/** Collects what a reader finds, and refuses what breaks a limit or collides. Holds contents in memory. */
export class SubmissionTree {
  readonly #limits: IntakeLimits;
  readonly #nodes = new Map<string, TreeNode>();
  readonly #pathByCaseKey = new Map<string, string>();
  #totalBytes = 0;

  constructor(limits: IntakeLimits) {
    this.#limits = limits;
  }

  /** Adds a folder. Throws IntakeError when it was named before or collides. */
  addDirectory(path: string): void {
    this.#addParents(path);
    const known = this.#nodes.get(path);
    if (known?.kind === 'directory' && !known.explicit) {
      known.explicit = true;
      return;
    }
    this.#add({ kind: 'directory', path, explicit: true });
  }

  /**
   * Adds a file of `bytes` bytes, before its content is read, and returns it with an empty content for the
   * caller to set. Throws IntakeError when a limit is broken or the name is taken.
   */
  addFile(path: string, bytes: number, executable: boolean): TreeFile {
    this.checkFileSize(path, bytes);
    this.#addParents(path);
    const file: TreeFile = { kind: 'file', path, executable, content: Buffer.alloc(0) };
    this.#add(file);
    this.#totalBytes += bytes;
    return file;
  }

  /** Throws IntakeError ARCHIVE_TOO_LARGE when one more file of `bytes` bytes would be too much. */
  checkFileSize(path: string, bytes: number): void {
    const { fileBytes, expandedBytes } = this.#limits;
    if (bytes > fileBytes) {
      const limit = formatBytes(fileBytes);
      throw refusal('ARCHIVE_TOO_LARGE', `The file ${quoteName(path)} is larger than ${limit}.`, TOO_MUCH);
    }
    if (this.#totalBytes + bytes > expandedBytes) {
      throw tooLargeUnpacked(this.#limits);
    }
  }

  /** Every file and folder, sorted by path, so that a folder comes before what is in it. */
  nodes(): TreeNode[] {
    return [...this.#nodes.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #addParents(path: string): void {
    for (let slash = path.indexOf('/'); slash !== -1; slash = path.indexOf('/', slash + 1)) {
      const parent = path.slice(0, slash);
      const known = this.#nodes.get(parent);
      if (known?.kind === 'file') {
        throw duplicate(`${quoteName(parent)} is both a file and a folder (of ${quoteName(path)}).`);
      }
      if (!known) {
        this.#add({ kind: 'directory', path: parent, explicit: false });
      }
    }
  }

  #add(node: TreeNode): void {
    const caseKey = toCaseKey(node.path);
    const taken = this.#pathByCaseKey.get(caseKey);
    if (taken !== undefined) {
      throw duplicate(describeCollision(taken, this.#nodes.get(taken), node));
    }
    if (this.#nodes.size >= this.#limits.entries) {
      throw tooManyEntries(this.#limits);
    }
    this.#pathByCaseKey.set(caseKey, node.path);
    this.#nodes.set(node.path, node);
  }
}

function describeCollision(taken: string, known: TreeNode | undefined, node: TreeNode): string {
  if (taken !== node.path) {
    return `${quoteName(taken)} and ${quoteName(node.path)} differ only in case or spelling of the same letters.`;
  }
  return known?.kind === node.kind
    ? `${quoteName(taken)} is in the archive twice.`
    : `${quoteName(taken)} is both a file and a folder.`;
}

function duplicate(message: string): Error {
  return refusal('ARCHIVE_DUPLICATE', message, 'Rename or remove one of them and pack again.');
}

/** The refusal for more files and folders than allowed. */
export function tooManyEntries(limits: IntakeLimits): Error {
  const message = `The submission has more than ${limits.entries} files and folders.`;
  return refusal('ARCHIVE_TOO_MANY_FILES', message, TOO_MUCH);
}

/** The refusal for more unpacked bytes than allowed. */
export function tooLargeUnpacked(limits: IntakeLimits): Error {
  const message = `Unpacked, the submission is larger than ${formatBytes(limits.expandedBytes)}.`;
  return refusal('ARCHIVE_TOO_LARGE', message, TOO_MUCH);
}

/** The refusal for an upload that is larger than allowed as it arrived. */
export function tooLargePacked(limits: IntakeLimits): Error {
  const message = `The archive is larger than ${formatBytes(limits.compressedBytes)}.`;
  return refusal('ARCHIVE_TOO_LARGE', message, TOO_MUCH);
}

/** Throws IntakeError ARCHIVE_TOO_LARGE when `expandedBytes` out of an archive of `archiveBytes` smells of a bomb. */
export function checkRatio(expandedBytes: number, archiveBytes: number, limits: IntakeLimits): void {
  if (expandedBytes > limits.ratioFloorBytes && expandedBytes > archiveBytes * limits.ratio) {
    const message = `The archive unpacks to more than ${limits.ratio} times its size.`;
    throw refusal('ARCHIVE_TOO_LARGE', message, 'Leave out files that are mostly empty or repeated bytes.');
  }
}
