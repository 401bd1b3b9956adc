import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { BlobStore } from '../../src/blobs/blob-store.ts';

const HOUR_MS = 3_600_000;

function keyOf(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** What every adapter of the blob port has to do. */
export function blobStoreContract(open: () => Promise<BlobStore>): void {
  it('names content by its digest and gives it back', async () => {
    const blobs = await open();
    const content = randomBytes(300_000);
    const ref = await blobs.put(Readable.from([content.subarray(0, 7), content.subarray(7)]));

    expect(ref).toEqual({ key: keyOf(content), bytes: content.length });
    expect(await blobs.put(content)).toEqual(ref);
    expect(await blobs.read(ref.key)).toEqual(content);
    expect(Buffer.concat(await (await blobs.open(ref.key)).toArray())).toEqual(content);
  });

  it('keeps nothing of a stream that breaks', async () => {
    const blobs = await open();
    async function* broken() {
      yield Buffer.from('half');
      throw new Error('the upload broke');
    }
    await expect(blobs.put(Readable.from(broken()))).rejects.toThrow('the upload broke');
    expect(await keysOf(blobs, 0)).toEqual([]);
  });

  it('says that a blob is missing, and takes no other name for one', async () => {
    const blobs = await open();
    for (const key of [keyOf(Buffer.from('never stored')), '../../etc/passwd', 'sha256:..', '']) {
      await expect(blobs.read(key)).rejects.toMatchObject({ code: 'BLOB_MISSING', blame: 'infra' });
      await expect(blobs.open(key)).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    }
  });

  it('collects what is old, never what is young, also while it is stored again', async () => {
    const blobs = await open();
    const content = randomBytes(100);
    const { key } = await blobs.put(content);
    expect(await keysOf(blobs, HOUR_MS)).toEqual([]);
    expect(await blobs.collect(key, HOUR_MS)).toBe(false);
    expect(await keysOf(blobs, 0)).toEqual([key]);
    expect(await blobs.collect(key, 0)).toBe(true);
    expect(await keysOf(blobs, 0)).toEqual([]);
    expect(await blobs.collect(key, 0)).toBe(false);

    await Promise.all(Array.from({ length: 8 }, () => blobs.put(content)));
    expect(await blobs.read(key)).toEqual(content);
    const removed = await Promise.all(Array.from({ length: 4 }, () => blobs.collect(key, 0)));
    expect(removed.filter(Boolean)).toHaveLength(1);
    expect(await keysOf(blobs, 0)).toEqual([]);
  });
}

async function keysOf(blobs: BlobStore, minAgeMs: number): Promise<string[]> {
  const keys: string[] = [];
  for await (const key of blobs.list(minAgeMs)) {
    keys.push(key);
  }
  return keys;
}
