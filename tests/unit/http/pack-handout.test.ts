import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { packHandout } from '../../../src/http/pack-handout.ts';
import { packTar, readTar } from '../../../src/shared/tar-buffer.ts';

function file(path: string, content: string) {
  return { path, type: 'file', executable: false, content: Buffer.from(content) } as const;
}

const LONG = `handout/${'deep/'.repeat(40)}start.js`;
const BUNDLE = packTar([
  file('challenge.yaml', 'secret'),
  { path: 'handout', type: 'directory', executable: false, content: Buffer.alloc(0) },
  file(LONG, 'start'),
  file('hidden/handout/statement.md', 'secret'.repeat(50_000)),
  file('openapi.yaml', 'openapi: 3.1.1'),
  file('statement.md', '# Do this'),
  file('statement.md.bak', 'secret'),
]);

it('hands out statement, description and starter files, and nothing else', async () => {
  const handout = gunzipSync(await buffer(packHandout(Readable.from([BUNDLE]))));

  expect(readTar(handout).map(({ path, content }) => [path, content.toString()])).toEqual([
    ['handout', ''],
    [LONG, 'start'],
    ['openapi.yaml', 'openapi: 3.1.1'],
    ['statement.md', '# Do this'],
  ]);
  expect(handout.includes('secret')).toBe(false);
});

it('breaks off when the bundle cannot be read', async () => {
  async function* broken() {
    yield BUNDLE.subarray(0, 2000);
    throw new Error('the disk broke');
  }

  await expect(buffer(packHandout(Readable.from(broken())))).rejects.toThrow('the disk broke');
});

it('lets go of the bundle when the reader goes away', async () => {
  const bundle = Readable.from([BUNDLE]);
  const handout = packHandout(bundle);
  const closed = new Promise((resolve) => bundle.once('close', resolve));
  handout.on('error', () => undefined).destroy();

  await closed;
  expect(bundle.destroyed).toBe(true);
});
