import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openFsBlobStore } from '../../src/blobs/fs-blob-store.ts';
import { blobStoreContract } from './blob-store.contract.ts';

const roots: string[] = [];

async function freshRoot(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'assay-blobs-'));
  roots.push(root);
  return root;
}

afterAll(async () => {
  await Promise.all(roots.map((root) => rm(root, { recursive: true, force: true })));
});

describe('the blob store on files', () => {
  blobStoreContract(async () => await openFsBlobStore(await freshRoot()));

  it('notices a file that changed on the disk, and leaves no draft behind', async () => {
    const root = await freshRoot();
    const blobs = await openFsBlobStore(root);
    const ref = await blobs.put(Buffer.from('a result'));
    const hex = ref.key.slice('sha256:'.length);
    await writeFile(join(root, hex.slice(0, 2), hex), 'a Result');

    await expect(blobs.read(ref.key)).rejects.toMatchObject({ code: 'BLOB_DAMAGED', blame: 'infra' });
    expect(await readdir(join(root, 'tmp'))).toEqual([]);
  });
});
