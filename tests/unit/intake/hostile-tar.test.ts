import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { RefusalCode } from '../../../src/intake/refusals.ts';
import { buildTar, gnuLongName, paxHeader, type TarEntrySpec, tarEntry } from '../../helpers/archives.ts';
import { inspect } from '../../helpers/intake.ts';

type Case = [title: string, entries: (TarEntrySpec | Buffer)[], code: RefusalCode, end?: Buffer];

const honest: TarEntrySpec = { name: 'package.json', content: '{}' };
const plain: TarEntrySpec = { name: 'a.js', content: 'x' };
const zeroBlock = Buffer.alloc(512);

function base256(...lastBytes: number[]): Buffer {
  return Buffer.concat([Buffer.from([0x80]), Buffer.alloc(11 - lastBytes.length), Buffer.from(lastBytes)]);
}

const REFUSED: Case[] = [
  ['A01 parent traversal', [honest, { name: '../x' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A02 inner traversal behind "./"', [honest, { name: './a/../../x' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A02 "./" twice', [honest, { name: '././x' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A03 absolute', [honest, { name: '/etc/x' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A03 absolute behind "./"', [honest, { name: './/etc/x' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A05 symbolic link', [honest, { name: 'ln', type: '2', linkname: '/etc/passwd' }], 'ARCHIVE_LINK'],
  [
    'A06 link to a folder, then a file in it',
    [{ name: 'd', type: '2', linkname: '/tmp' }, { name: 'd/x' }],
    'ARCHIVE_LINK',
  ],
  ['A07 hard link outside', [honest, { name: 'ln', type: '1', linkname: '/etc/passwd' }], 'ARCHIVE_LINK'],
  [
    'A07 hard link to an earlier entry',
    [honest, { name: 'ln', type: '1', linkname: 'package.json' }],
    'ARCHIVE_LINK',
  ],
  ['A09 character device', [honest, { name: 'd', type: '3' }], 'ARCHIVE_SPECIAL_FILE'],
  ['A09 block device', [honest, { name: 'd', type: '4' }], 'ARCHIVE_SPECIAL_FILE'],
  ['A09 fifo', [honest, { name: 'd', type: '6' }], 'ARCHIVE_SPECIAL_FILE'],
  [
    'A13 header says more than there is',
    [{ name: 'x', content: 'ab', claimedBytes: 1_000_000 }],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A13 header says less than there is',
    [{ name: 'x', content: 'y'.repeat(2000), claimedBytes: 10 }],
    'ARCHIVE_CORRUPT',
  ],
  ['A18 segment too long', [honest, gnuLongName('s'.repeat(121)), plain], 'ARCHIVE_UNSAFE_PATH'],
  [
    'A18 path of 5,000 bytes',
    [honest, gnuLongName(`${'abcdefghi/'.repeat(500)}x`), plain],
    'ARCHIVE_UNSAFE_PATH',
  ],
  ['A19 duplicate', [honest, honest], 'ARCHIVE_DUPLICATE'],
  ['A20 case', [{ name: 'Readme' }, { name: 'README' }], 'ARCHIVE_DUPLICATE'],
  ['A21 file and folder', [{ name: 'a' }, { name: 'a/b' }], 'ARCHIVE_DUPLICATE'],
  ['A22 newline', [honest, { name: 'a\nb' }], 'ARCHIVE_UNSAFE_PATH'],
  ['A23 invalid UTF-8', [honest, { name: Buffer.from([0xff]) }], 'ARCHIVE_UNSAFE_PATH'],
  ['A24 PAX path that leaves', [honest, paxHeader([['path', '../x']]), plain], 'ARCHIVE_UNSAFE_PATH'],
  ['A24 NUL in a PAX path', [honest, paxHeader([['path', 'a\0b']]), plain], 'ARCHIVE_UNSAFE_PATH'],
  ['A24 PAX size that differs', [honest, paxHeader([['size', '9']]), plain], 'ARCHIVE_CORRUPT'],
  ['A24 PAX size that is no number', [honest, paxHeader([['size', '-1']]), plain], 'ARCHIVE_CORRUPT'],
  [
    'A24 PAX path twice',
    [
      honest,
      paxHeader([
        ['path', 'a'],
        ['path', 'b'],
      ]),
      plain,
    ],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A24 two PAX headers',
    [honest, paxHeader([['path', 'a']]), paxHeader([['path', 'b']]), plain],
    'ARCHIVE_CORRUPT',
  ],
  ['A24 PAX and GNU names', [honest, paxHeader([['path', 'a']]), gnuLongName('b'), plain], 'ARCHIVE_CORRUPT'],
  [
    'A24 PAX record too long',
    [honest, tarEntry({ name: 'p', type: 'x', content: '99 path=a\n' }), plain],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A24 PAX record of length 0',
    [honest, tarEntry({ name: 'p', type: 'x', content: '0 path=a\n' }), plain],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A24 negative PAX record',
    [honest, tarEntry({ name: 'p', type: 'x', content: '-5 path=a\n' }), plain],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A24 PAX record without "="',
    [honest, tarEntry({ name: 'p', type: 'x', content: '7 path\n' }), plain],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A24 PAX record without an end',
    [honest, tarEntry({ name: 'p', type: 'x', content: '9 path=ab' }), plain],
    'ARCHIVE_CORRUPT',
  ],
  ['A24 global PAX path', [paxHeader([['path', 'a']], 'g'), honest], 'ARCHIVE_CORRUPT'],
  ['A24 PAX header without entry', [honest, paxHeader([['path', 'a']])], 'ARCHIVE_CORRUPT'],
  [
    'A24 oversized PAX header',
    [honest, paxHeader([['comment', 'c'.repeat(300_000)]]), plain],
    'ARCHIVE_CORRUPT',
  ],
  ['A24 long name that leaves', [honest, gnuLongName('../x'), plain], 'ARCHIVE_UNSAFE_PATH'],
  ['A24 NUL inside a long name', [honest, gnuLongName('a\0b'), plain], 'ARCHIVE_CORRUPT'],
  ['A24 long name without NUL', [honest, gnuLongName('ab', ''), plain], 'ARCHIVE_CORRUPT'],
  ['A24 negative size', [honest, { name: 'x', sizeField: Buffer.alloc(12, 0xff) }], 'ARCHIVE_CORRUPT'],
  [
    'A24 huge base-256 size',
    [honest, { name: 'x', sizeField: base256(1, 0, 0, 0, 0, 0, 0, 0, 0) }],
    'ARCHIVE_TOO_LARGE',
  ],
  [
    'A24 size that is not octal',
    [honest, { name: 'x', sizeField: Buffer.from('00000000009\0') }],
    'ARCHIVE_CORRUPT',
  ],
  ['A28 wrong checksum', [honest, { ...plain, checksumError: 1 }], 'ARCHIVE_CORRUPT'],
  ['A28 second header without mark', [honest, { ...plain, format: 'v7' }], 'ARCHIVE_CORRUPT'],
  ['A28 entry behind the end mark', [honest, Buffer.alloc(1024), plain], 'ARCHIVE_CORRUPT'],
  ['A28 empty entry behind one zero block', [honest, zeroBlock, { name: 'b' }], 'ARCHIVE_CORRUPT'],
  ['A28 entry behind one zero block', [honest, zeroBlock, plain], 'ARCHIVE_CORRUPT'],
  [
    'A28 junk behind the end mark',
    [honest],
    'ARCHIVE_CORRUPT',
    Buffer.concat([Buffer.alloc(1024), Buffer.from('junk')]),
  ],
  ['A25 no end mark', [honest], 'ARCHIVE_CORRUPT', Buffer.alloc(0)],
  ['A25 half an end mark', [honest], 'ARCHIVE_CORRUPT', zeroBlock],
  ['A25 ends inside a block', [honest], 'ARCHIVE_CORRUPT', Buffer.alloc(1100)],
  ['A31 GNU sparse', [honest, { name: 'x', type: 'S', format: 'gnu' }], 'ARCHIVE_UNSUPPORTED'],
  ['A31 PAX sparse', [honest, paxHeader([['GNU.sparse.major', '1']]), plain], 'ARCHIVE_UNSUPPORTED'],
  ['A31 continued volume', [honest, { name: 'x', type: 'M', format: 'gnu' }], 'ARCHIVE_UNSUPPORTED'],
  ['A31 volume label', [{ name: 'x', type: 'V', format: 'gnu' }, honest], 'ARCHIVE_UNSUPPORTED'],
  ['A31 ".." in a PAX linkpath only', [honest, paxHeader([['linkpath', '../x']]), plain], 'ARCHIVE_LINK'],
  [
    'A31 GNU long link',
    [honest, { name: '././@LongLink', type: 'K', format: 'gnu', content: '../x\0' }, plain],
    'ARCHIVE_LINK',
  ],
  ['unknown type flag', [honest, { name: 'x', type: 'Z' }], 'ARCHIVE_UNSUPPORTED'],
  ['a folder with content', [honest, { name: 'd/', type: '5', content: 'x' }], 'ARCHIVE_CORRUPT'],
  [
    'a stream of "./"',
    Array.from({ length: 10_002 }, () => ({ name: './', type: '5' })),
    'ARCHIVE_TOO_MANY_FILES',
  ],
  ['A33 nothing but the folder itself', [{ name: './', type: '5' }], 'NO_PROJECT'],
];

describe('tar archives that are refused', () => {
  test.each(REFUSED)('%s', async (_title, entries, code, end) => {
    for (const archive of [buildTar(entries, end), gzipSync(buildTar(entries, end), { level: 1 })]) {
      const { refused } = await inspect(archive, { ratioFloorBytes: Number.MAX_SAFE_INTEGER });
      expect(refused?.code, refused?.message).toBe(code);
      expect(refused?.mend).toBeTruthy();
    }
  });

  test('A17: one file more than allowed', async () => {
    const entries = Array.from({ length: 5001 }, (_, index) => ({ name: `f${index}` }));
    const { refused } = await inspect(buildTar(entries));
    expect(refused).toMatchObject({ code: 'ARCHIVE_TOO_MANY_FILES', httpStatus: 413 });
  });

  test.each([10, 20, 30, 40, 50, 60, 70, 80, 90])('A25: cut at %d percent', async (percent) => {
    const content = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 7919) % 251));
    const tar = buildTar([honest, { name: 'a.bin', content }]);
    for (const archive of [tar, gzipSync(tar)]) {
      const { refused } = await inspect(archive.subarray(0, (archive.length * percent) / 100));
      expect(refused?.code).toBe('ARCHIVE_CORRUPT');
    }
  });
});

describe('gzip around a tar', () => {
  const tar = buildTar([honest]);

  test('A15: what follows the tar counts, member after member', async () => {
    const member = gzipSync(Buffer.alloc(1024 ** 2));
    const archive = Buffer.concat([gzipSync(tar), ...Array.from({ length: 120 }, () => member)]);
    const { refused } = await inspect(archive);
    expect(refused).toMatchObject({ code: 'ARCHIVE_TOO_LARGE', httpStatus: 413 });
    expect(refused?.message).toContain('100 times');
    const unlimitedRatio = await inspect(archive, { ratio: 1e9 });
    expect(unlimitedRatio.refused?.message).toContain('100 MiB');
  });

  test('members that are one tar together are accepted', async () => {
    const archive = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
    expect((await inspect(archive)).reviewed?.nodes).toHaveLength(1);
  });

  test.each([
    ['text', Buffer.from('junk')],
    ['zeros', Buffer.alloc(16)],
    ['half a member', gzipSync('x').subarray(0, 6)],
  ])('A28: %s behind the gzip data is refused', async (_title, junk) => {
    const { refused } = await inspect(Buffer.concat([gzipSync(tar), junk]));
    expect(refused?.code).toBe('ARCHIVE_CORRUPT');
  });

  test('A27: gzip of something else is the wrong type', async () => {
    for (const content of ['', 'hello', 'x'.repeat(2000)]) {
      expect((await inspect(gzipSync(content))).refused).toMatchObject({
        code: 'ARCHIVE_TYPE',
        httpStatus: 415,
      });
    }
  });
});

describe('tar archives that are accepted', () => {
  test('A10, A11: foreign owners and odd modes are ignored, the execute bit is kept', async () => {
    const entries = [0o4755, 0o2644, 0o777].map((mode, index) => ({ name: `f${index}`, mode, uid: 65_534 }));
    const { reviewed } = await inspect(buildTar(entries));
    expect(reviewed?.nodes.map((node) => node.kind === 'file' && node.executable)).toEqual([
      true,
      false,
      true,
    ]);
  });

  test('A24: long names of both kinds, and a PAX size that agrees', async () => {
    const long = `${'folder/'.repeat(15)}file.js`;
    const gnu = buildTar([gnuLongName(`./${long}`), { name: 'cut', content: 'x', format: 'gnu' }]);
    const pax = buildTar([
      paxHeader([
        ['path', long],
        ['size', '1'],
        ['mtime', '1.5'],
      ]),
      { name: 'cut', content: 'x' },
    ]);
    for (const archive of [gnu, pax]) {
      expect((await inspect(archive)).reviewed?.nodes.at(-1)).toMatchObject({ path: long });
    }
  });

  test('a global PAX header with a comment, as git writes it', async () => {
    const archive = buildTar([paxHeader([['comment', 'c0ffee']], 'g'), honest]);
    expect((await inspect(archive)).reviewed?.nodes).toHaveLength(1);
  });

  test('a name that begins with "./", and the old way to mark a folder', async () => {
    const archive = buildTar([{ name: './', type: '5' }, { name: './d/' }, { name: './d/a' }]);
    expect((await inspect(archive)).reviewed?.nodes.map(({ path, kind }) => [path, kind])).toEqual([
      ['d', 'directory'],
      ['d/a', 'file'],
    ]);
  });
});

describe('A27, A28: what is no archive is the wrong type', () => {
  test.each([
    ['nothing', ''],
    ['one byte', 'P'],
    ['PDF', '%PDF-1.7\n%...'],
    ['PNG', '\x89PNG\r\n\x1a\n'],
    ['ELF', '\x7fELF\x02\x01\x01'],
    ['HTML', '<!doctype html><title>x</title>'],
    ['7z', '7z\xbc\xaf\x27\x1c\0\x04'],
    ['xz', '\xfd7zXZ\0'],
    ['a tar without mark', tarEntry({ name: 'a', format: 'v7' }).toString('latin1')],
  ])('%s', async (_title, bytes) => {
    const { refused } = await inspect(Buffer.from(bytes, 'latin1'));
    expect(refused).toMatchObject({ code: 'ARCHIVE_TYPE', httpStatus: 415 });
    expect(refused?.mend).toContain('.tar.gz');
  });

  test('A12: an archive over the packed limit is refused unread', async () => {
    const { refused } = await inspect(Buffer.alloc(101), { compressedBytes: 100 });
    expect(refused?.code).toBe('ARCHIVE_TOO_LARGE');
  });
});
