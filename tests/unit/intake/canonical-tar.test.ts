import { pack as tarPack, extract } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import { canonicalTarBytes, canonicalTarChunks } from '../../../src/intake/canonical-tar.ts';
import type { TreeNode } from '../../../src/intake/submission-tree.ts';
import { inspect } from '../../helpers/intake.ts';

interface ReadBack {
  name: string;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  mtime: number | undefined;
  content: string;
}

/** Reads a tar with a reader that is not ours. */
async function readBack(tar: Buffer): Promise<ReadBack[]> {
  const entries: ReadBack[] = [];
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) {
      chunks.push(chunk as Buffer);
    }
    const { name, mode, uid, gid, mtime } = entry.header;
    entries.push({
      name,
      mode,
      uid,
      gid,
      mtime: mtime?.getTime(),
      content: Buffer.concat(chunks).toString(),
    });
  }
  return entries;
}

function file(path: string, content: string, executable = false): TreeNode {
  return { kind: 'file', path, executable, content: Buffer.from(content) };
}

describe('the canonical tar', () => {
  test('has fixed modes, owner and time', async () => {
    const nodes = [
      { kind: 'directory', path: 'd', explicit: true } as const,
      file('d/run', '#!', true),
      file('e', 'x'),
    ];
    const fixed = { uid: 10_001, gid: 10_001, mtime: 0 };
    expect(await readBack(Buffer.concat([...canonicalTarChunks(nodes)]))).toEqual([
      { name: 'd/', mode: 0o755, content: '', ...fixed },
      { name: 'd/run', mode: 0o755, content: '#!', ...fixed },
      { name: 'e', mode: 0o644, content: 'x', ...fixed },
    ]);
  });

  test('carries every path that intake allows', async () => {
    const paths = [
      'a'.repeat(100),
      'a'.repeat(101),
      'b'.repeat(120),
      `${'c'.repeat(99)}/${'d'.repeat(100)}`,
      `${'c'.repeat(99)}/${'d'.repeat(101)}`,
      `${'e'.repeat(76)}/${'f'.repeat(78)}/${'g'.repeat(84)}`,
      `${'h'.repeat(76)}/${'i'.repeat(79)}/${'j'.repeat(83)}`,
      `${'\u00e9'.repeat(60)}/${'\u{1f600}'.repeat(29)}`,
    ];
    const nodes = paths.map((path) => file(path, path));
    const entries = await readBack(Buffer.concat([...canonicalTarChunks(nodes)]));
    expect(entries.map(({ name }) => name)).toEqual(paths);
    expect(entries.map(({ content }) => content)).toEqual(paths);
  });

  test('carries folders with long names', async () => {
    const paths = ['k'.repeat(99), 'k'.repeat(100), `${'l'.repeat(120)}/${'m'.repeat(119)}`];
    const nodes = paths.map((path) => ({ kind: 'directory', path, explicit: true }) as const);
    const entries = await readBack(Buffer.concat([...canonicalTarChunks(nodes)]));
    expect(entries.map(({ name }) => name)).toEqual(paths.map((path) => `${path}/`));
  });

  test('is as long as announced', () => {
    const nodes = [file('a', ''), file('b', 'x'.repeat(512)), file('c'.repeat(120), 'x'.repeat(513))];
    expect(canonicalTarBytes(nodes)).toBe(Buffer.concat([...canonicalTarChunks(nodes)]).length);
  });

  test('is accepted by intake and comes out the same', async () => {
    const nodes = [file('a'.repeat(120), 'x', true), file('b/c', 'y')];
    const once = Buffer.concat([
      ...canonicalTarChunks(await inspectedNodes(Buffer.concat([...canonicalTarChunks(nodes)]))),
    ]);
    const twice = Buffer.concat([...canonicalTarChunks(await inspectedNodes(once))]);
    expect(twice.equals(once)).toBe(true);
  });

  test('a tar by another writer is read', async () => {
    const pack = tarPack();
    pack.entry({ name: `${'long/'.repeat(19)}\u00e9.js`, mode: 0o755 }, 'x');
    pack.finalize();
    const chunks: Buffer[] = [];
    for await (const chunk of pack) {
      chunks.push(chunk as Buffer);
    }
    const nodes = await inspectedNodes(Buffer.concat(chunks));
    expect(nodes.at(-1)).toMatchObject({ path: `${'long/'.repeat(19)}\u00e9.js`, executable: true });
  });
});

async function inspectedNodes(tar: Buffer): Promise<TreeNode[]> {
  const { reviewed, refused } = await inspect(tar);
  expect(refused).toBeUndefined();
  return reviewed?.nodes ?? [];
}
