import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { toEntryPath } from './entry-path.ts';
import { isAsideAtTop, isGitOfProject, toProjectPrefix } from './leave-out.ts';
import type { IntakeLimits } from './limits.ts';
import { quoteName, refusal } from './refusals.ts';
import type { SubmissionTree } from './submission-tree.ts';

interface Walk {
  root: Buffer;
  tree: SubmissionTree;
  limits: IntakeLimits;
  /** The project's .git is noted but not walked: its size must not count. */
  prefix: string;
}

/**
 * Reads a folder into `tree` under the same rules as an archive. Follows no link; a link is refused.
 * Throws IntakeError.
 */
export async function readDirectory(path: string, tree: SubmissionTree, limits: IntakeLimits): Promise<void> {
  const root = Buffer.from(path);
  await walk({ root, tree, limits, prefix: await readPrefix(root) }, '');
}

async function readPrefix(root: Buffer): Promise<string> {
  const names = (await listNames(root, '.')).map((name) => name.toString('utf8'));
  const [only, ...others] = names.filter((name) => !isAsideAtTop(name));
  if (only === undefined || others.length > 0) {
    return '';
  }
  const stats = await lstat(join(root, only)).catch(() => undefined);
  return toProjectPrefix([{ name: only, directory: stats?.isDirectory() ?? false }]);
}

async function walk(context: Walk, directory: string): Promise<void> {
  const { root, tree, limits, prefix } = context;
  for (const name of await listNames(join(root, directory), directory)) {
    const path = toEntryPath(join(Buffer.from(directory), name), limits);
    const stats = await lstat(join(root, path));
    if (stats.isSymbolicLink()) {
      const mend = 'Replace it by the file it points to, or leave out node_modules and virtual environments.';
      throw refusal('ARCHIVE_LINK', `${quoteName(path)} is a symbolic link.`, mend);
    }
    if (stats.isDirectory()) {
      tree.addDirectory(path);
      if (!isGitOfProject(path, prefix)) {
        await walk(context, path);
      }
    } else if (stats.isFile()) {
      await addFile(context, path);
    } else {
      throw refusal('ARCHIVE_SPECIAL_FILE', `${quoteName(path)} is a device, pipe or socket.`, 'Remove it.');
    }
  }
}

async function addFile({ root, tree }: Walk, path: string): Promise<void> {
  // O_NOFOLLOW and O_NONBLOCK: what lstat saw may have been swapped for a link or a pipe since.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const handle = await open(join(root, path), flags).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      throw refusal('ARCHIVE_SPECIAL_FILE', `${quoteName(path)} is not a plain file.`, 'Remove it.');
    }
    const file = tree.addFile(path, stats.size, (stats.mode & 0o100) !== 0);
    // The size that was counted, even if the file is growing.
    const content = Buffer.allocUnsafeSlow(stats.size);
    file.content = content.subarray(0, await readFully(handle, content));
  } finally {
    await handle.close();
  }
}

async function readFully(handle: FileHandle, target: Buffer): Promise<number> {
  let filled = 0;
  while (filled < target.length) {
    const { bytesRead } = await handle.read(target, filled, target.length - filled, filled);
    if (bytesRead === 0) {
      break;
    }
    filled += bytesRead;
  }
  return filled;
}

async function listNames(directory: Buffer, shownPath: string): Promise<Buffer[]> {
  const names = await readdir(directory, { encoding: 'buffer' }).catch((error: unknown) => {
    throw unreadable(shownPath, error);
  });
  return names.sort((a, b) => a.compare(b));
}

/** The refusal for a file or folder that cannot be opened. */
export function unreadable(path: string, error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  const mend = 'Check that it exists and that assay may read it.';
  return refusal('ARCHIVE_UNREADABLE', `${quoteName(path)} cannot be read (${code}).`, mend);
}

function join(parent: Buffer, name: Buffer | string): Buffer {
  const child = Buffer.from(name);
  return parent.length === 0 || child.length === 0
    ? Buffer.concat([parent, child])
    : Buffer.concat([parent, Buffer.from('/'), child]);
}
