import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { InfraError } from '../domain/errors.ts';
import { diskError } from '../domain/disk-error.ts';
import { dropOld } from '../shared/drop-old.ts';
import type { BlobRef, BlobStore } from './blob-store.ts';

const KEY = /^sha256:([0-9a-f]{64})$/;
/** What a death left half written is removed after so long. */
const TEMPORARY_MAX_AGE_MS = 3_600_000;

/** Blobs as files below `root`, in 256 folders by the first byte of their digest. */
export async function openFsBlobStore(root: string): Promise<BlobStore> {
  const temporary = join(root, 'tmp');
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  await dropOld(temporary, TEMPORARY_MAX_AGE_MS);
  return {
    put: (content) => put(root, temporary, content),
    open: async (key) => {
      const path = pathOf(root, key);
      await access(path, constants.R_OK).catch((error: unknown) => missing(key, error));
      return createReadStream(path);
    },
    read: async (key) => {
      const path = pathOf(root, key);
      const content = await readFile(path).catch((error: unknown) => missing(key, error));
      if (`sha256:${createHash('sha256').update(content).digest('hex')}` !== key) {
        throw new InfraError('BLOB_DAMAGED', `the stored file ${key} is not what was stored`);
      }
      return content;
    },
    collect: (key, minAgeMs) => collect(root, temporary, key, minAgeMs),
    list: (minAgeMs) => listOld(root, minAgeMs),
  };
}

async function put(root: string, temporary: string, content: Readable | Buffer): Promise<BlobRef> {
  const draft = join(temporary, randomUUID());
  try {
    const { key, bytes } = await writeDurably(draft, content);
    const path = pathOf(root, key);
    const folder = join(path, '..');
    // Over an equal blob too: it is young again, so that a collector lets it be.
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(draft, path);
    await syncFolder(folder);
    return { key, bytes };
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw diskError(error);
  }
}

async function writeDurably(path: string, content: Readable | Buffer): Promise<BlobRef> {
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of chunksOf(content)) {
      hash.update(chunk);
      bytes += chunk.length;
      await writeAll(file, chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { key: `sha256:${hash.digest('hex')}`, bytes };
}

async function* chunksOf(content: Readable | Buffer): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(content)) {
    yield content;
    return;
  }
  for await (const chunk of content as AsyncIterable<Buffer | string>) {
    yield typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
  }
}

async function writeAll(file: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length; ) {
    offset += (await file.write(chunk, offset)).bytesWritten;
  }
}

/** A rename is durable only when the folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Moved aside first: a `put` of the same content at this moment gives it a new file, or is seen by its age. */
async function collect(root: string, temporary: string, key: string, minAgeMs: number): Promise<boolean> {
  const path = pathOf(root, key);
  const aside = join(temporary, randomUUID());
  if ((await ageOf(path)) < minAgeMs) {
    return false;
  }
  if (!(await movedAside(path, aside))) {
    return false;
  }
  if ((await ageOf(aside)) < minAgeMs) {
    await rename(aside, path);
    return false;
  }
  await rm(aside, { force: true });
  return true;
}

/** False: another collector was quicker. */
async function movedAside(path: string, aside: string): Promise<boolean> {
  try {
    await rename(path, aside);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

async function* listOld(root: string, minAgeMs: number): AsyncGenerator<string> {
  for (const folder of await readdir(root)) {
    if (!/^[0-9a-f]{2}$/.test(folder)) {
      continue;
    }
    for (const name of await readdir(join(root, folder))) {
      if ((await ageOf(join(root, folder, name))) >= minAgeMs) {
        yield `sha256:${name}`;
      }
    }
  }
}

/** Age by the clock of the file system's host, ms; -1 for what is gone. */
async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found ? new Date().getTime() - found.mtimeMs : -1;
}

/** Throws InfraError `BLOB_MISSING` for what is no key: a key never becomes any other path. */
function pathOf(root: string, key: string): string {
  const hex = KEY.exec(key)?.[1];
  return hex === undefined ? missing(key) : join(root, hex.slice(0, 2), hex);
}

function missing(key: string, cause?: unknown): never {
  throw new InfraError('BLOB_MISSING', `the stored file ${key.slice(0, 80)} is not there`, { cause });
}
