import { crc32, deflateRawSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { RefusalCode } from '../../../src/intake/refusals.ts';
import { buildZip, type ZipEntrySpec, type ZipOptions, zipExtra } from '../../helpers/archives.ts';
import { inspect } from '../../helpers/intake.ts';

type Case = [title: string, entries: ZipEntrySpec[], code: RefusalCode, options?: ZipOptions];

const LETTER_E_NFC = '\u00e9';
const LETTER_E_NFD = 'e\u0301';
const honest: ZipEntrySpec = { name: 'package.json', content: '{}' };

function named(name: string | Buffer): ZipEntrySpec[] {
  return [honest, { name, content: 'x' }];
}

function emptyFiles(count: number): ZipEntrySpec[] {
  return Array.from({ length: count }, (_, index) => ({ name: `f${index}` }));
}

const REFUSED: Case[] = [
  ['A01 parent traversal', named('../../etc/x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A02 inner traversal', named('a/../../x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A02 dot segment', named('a/./b'), 'ARCHIVE_UNSAFE_PATH'],
  ['A02 leading dot segment', named('./b'), 'ARCHIVE_UNSAFE_PATH'],
  ['A02 empty segment', named('a//b'), 'ARCHIVE_UNSAFE_PATH'],
  ['A02 only dots', named('..'), 'ARCHIVE_UNSAFE_PATH'],
  ['A03 absolute', named('/etc/x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A03 drive letter', named('C:\\x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A03 drive letter with slash', named('c:/x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A03 network share', named('\\\\host\\share'), 'ARCHIVE_UNSAFE_PATH'],
  ['A04 backslash traversal', named('..\\x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A04 backslash folder', named('src\\x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A08 symbolic link', [honest, { name: 'ln', content: '/etc/passwd', mode: 0o120777 }], 'ARCHIVE_LINK'],
  ['A09 character device', [honest, { name: 'd', mode: 0o020666 }], 'ARCHIVE_SPECIAL_FILE'],
  ['A09 block device', [honest, { name: 'd', mode: 0o060666 }], 'ARCHIVE_SPECIAL_FILE'],
  ['A09 fifo', [honest, { name: 'd', mode: 0o010666 }], 'ARCHIVE_SPECIAL_FILE'],
  ['A09 socket', [honest, { name: 'd', mode: 0o140666 }], 'ARCHIVE_SPECIAL_FILE'],
  ['a folder by mode alone', [honest, { name: 'd', mode: 0o040755 }], 'ARCHIVE_CORRUPT'],
  ['a folder with content', [honest, { name: 'd/', content: 'x' }], 'ARCHIVE_CORRUPT'],
  [
    'A12 honest header of a huge file',
    [{ name: 'bomb', content: 'x', claimedBytes: 0xffff_fff0 }],
    'ARCHIVE_TOO_LARGE',
  ],
  [
    'A13 header says less',
    [{ name: 'x', content: Buffer.alloc(5e6, 'ab'), claimedBytes: 10 }],
    'ARCHIVE_CORRUPT',
  ],
  ['A13 header says more', [{ name: 'x', content: 'ab', claimedBytes: 10 }], 'ARCHIVE_CORRUPT'],
  [
    'A13 stored, header says less',
    [{ name: 'x', content: 'abc', method: 0, claimedBytes: 1 }],
    'ARCHIVE_CORRUPT',
  ],
  ['wrong checksum', [{ name: 'x', content: 'ab', claimedCrc32: 1 }], 'ARCHIVE_CORRUPT'],
  [
    'bytes behind the packed data',
    [{ name: 'x', content: 'ab', packed: Buffer.concat([deflateRawSync('ab'), Buffer.from('junk')]) }],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A14 two entries on one local header',
    [
      { name: 'a', content: 'x' },
      { name: 'a2', localOffset: 0 },
    ],
    'ARCHIVE_OVERLAP',
  ],
  ['A17 5,001 empty files', emptyFiles(5001), 'ARCHIVE_TOO_MANY_FILES'],
  ['A17 1,000,000 claimed', [honest], 'ARCHIVE_TOO_MANY_FILES', { zip64Entries: 1_000_000 }],
  [
    'A17 folders that only show in paths',
    Array.from({ length: 300 }, (_, index) => ({ name: `f${index}/${'d/'.repeat(18)}x` })),
    'ARCHIVE_TOO_MANY_FILES',
  ],
  ['A18 depth of 100', named('d/'.repeat(99) + 'x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A18 depth of 300', named('d/'.repeat(299) + 'x'), 'ARCHIVE_UNSAFE_PATH'],
  ['A18 segment of 300 bytes', named('s'.repeat(300)), 'ARCHIVE_UNSAFE_PATH'],
  ['A18 segment of 121 bytes', named('s'.repeat(121)), 'ARCHIVE_UNSAFE_PATH'],
  ['A18 path of 5,000 bytes', named('abcdefghi/'.repeat(499) + 'x'), 'ARCHIVE_UNSAFE_PATH'],
  [
    'A18 path of 242 bytes',
    named(`${'a'.repeat(100)}/${'b'.repeat(100)}/${'c'.repeat(40)}`),
    'ARCHIVE_UNSAFE_PATH',
  ],
  ['A19 duplicate file', [honest, honest], 'ARCHIVE_DUPLICATE'],
  ['A19 duplicate folder', [{ name: 'd/' }, { name: 'd/' }, honest], 'ARCHIVE_DUPLICATE'],
  [
    'A20 case',
    [
      { name: 'Readme', content: '1' },
      { name: 'README', content: '2' },
    ],
    'ARCHIVE_DUPLICATE',
  ],
  ['A20 case of a folder', [{ name: 'Src/a' }, { name: 'src/b' }], 'ARCHIVE_DUPLICATE'],
  ['A20 case without a single partner', [{ name: 'stra\u00dfe' }, { name: 'STRASSE' }], 'ARCHIVE_DUPLICATE'],
  ['A20 decomposed name', [{ name: LETTER_E_NFC }, { name: LETTER_E_NFD }], 'ARCHIVE_UNSAFE_PATH'],
  [
    'A21 file, then folder',
    [
      { name: 'a', content: '1' },
      { name: 'a/b', content: '2' },
    ],
    'ARCHIVE_DUPLICATE',
  ],
  [
    'A21 folder, then file',
    [
      { name: 'a/b', content: '2' },
      { name: 'a', content: '1' },
    ],
    'ARCHIVE_DUPLICATE',
  ],
  ['A21 named folder and file', [{ name: 'a/' }, { name: 'a', content: '1' }], 'ARCHIVE_DUPLICATE'],
  ['A22 NUL', named('a\0.js'), 'ARCHIVE_UNSAFE_PATH'],
  ['A22 newline', named('a\n.js'), 'ARCHIVE_UNSAFE_PATH'],
  ['A22 escape', named('a\u001b[31m'), 'ARCHIVE_UNSAFE_PATH'],
  ['A22 C1 control', named('a\u0085'), 'ARCHIVE_UNSAFE_PATH'],
  ['A22 right-to-left override', named('a\u202egpj.exe'), 'ARCHIVE_UNSAFE_PATH'],
  ['A22 zero-width space', named('a\u200b'), 'ARCHIVE_UNSAFE_PATH'],
  ['A23 invalid UTF-8', named(Buffer.from([0x61, 0xff, 0xfe])), 'ARCHIVE_UNSAFE_PATH'],
  ['A23 CP437', [honest, { name: Buffer.from([0x81, 0x62]), flags: 0 }], 'ARCHIVE_UNSAFE_PATH'],
  ['A23 overlong UTF-8', named(Buffer.from([0xc0, 0xaf])), 'ARCHIVE_UNSAFE_PATH'],
  ['A23 replacement character', named('a\ufffd'), 'ARCHIVE_UNSAFE_PATH'],
  [
    'A23 unicode path field that leaves',
    [honest, { name: 'ok', extra: unicodePath('ok', '../x') }],
    'ARCHIVE_UNSAFE_PATH',
  ],
  ['A26 encrypted', [honest, { name: 'x', content: 'abc', flags: 0x0801 }], 'ARCHIVE_ENCRYPTED'],
  ['A26 strongly encrypted', [honest, { name: 'x', content: 'abc', flags: 0x0841 }], 'ARCHIVE_ENCRYPTED'],
  ['A26 encrypted directory', [honest, { name: 'x', content: 'abc', flags: 0x2800 }], 'ARCHIVE_ENCRYPTED'],
  ['A26 zip64', [honest], 'ARCHIVE_UNSUPPORTED', { zip64Entries: 1 }],
  ['A26 zip64 field', [{ ...honest, extra: zipExtra(1, Buffer.alloc(16)) }], 'ARCHIVE_UNSUPPORTED'],
  ['A26 bzip2', [{ ...honest, method: 12 }], 'ARCHIVE_UNSUPPORTED'],
  ['A26 LZMA', [{ ...honest, method: 14 }], 'ARCHIVE_UNSUPPORTED'],
  ['A26 zstd', [{ ...honest, method: 93 }], 'ARCHIVE_UNSUPPORTED'],
  ['A28 leading junk', [honest], 'ARCHIVE_TYPE', { before: Buffer.from('%PDF-1.7\n') }],
  [
    'A28 leading junk that looks like a zip',
    [honest],
    'ARCHIVE_CORRUPT',
    { before: Buffer.from('PK\x03\x04junk') },
  ],
  ['A28 GIF and jar', [honest], 'ARCHIVE_TYPE', { before: Buffer.from('GIF89a') }],
  ['A28 trailing junk', [honest], 'ARCHIVE_CORRUPT', { after: Buffer.from('junk') }],
  [
    'A28 junk between entries',
    [{ ...honest, junkAfter: Buffer.from('junk') }, { name: 'b' }],
    'ARCHIVE_CORRUPT',
  ],
  [
    'A28 names differ between headers',
    [honest, { name: 'a.js', localName: 'b.js', content: 'x' }],
    'ARCHIVE_CORRUPT',
  ],
  ['A28 more entries than claimed', [honest, { name: 'b' }], 'ARCHIVE_CORRUPT', { claimedEntries: 1 }],
  ['A28 fewer entries than claimed', [honest], 'ARCHIVE_CORRUPT', { claimedEntries: 2 }],
  [
    'A30 extra field past its end',
    [{ ...honest, extra: Buffer.from([0x0a, 0, 0xff, 0]) }],
    'ARCHIVE_CORRUPT',
  ],
  ['A33 no entry', [], 'NO_PROJECT'],
  ['A33 only folders', [{ name: 'src/' }], 'NO_PROJECT'],
  ['A33 only what is left out', [{ name: '.git/config', content: 'x' }], 'NO_PROJECT'],
];

function unicodePath(raw: string, name: string): Buffer {
  const head = Buffer.alloc(5);
  head[0] = 1;
  head.writeUInt32LE(crc32(raw), 1);
  return zipExtra(0x7075, Buffer.concat([head, Buffer.from(name)]));
}

describe('zip archives that are refused', () => {
  test.each(REFUSED)('%s', async (_title, entries, code, options) => {
    const { refused } = await inspect(buildZip(entries, options));
    expect(refused?.code, refused?.message).toBe(code);
    expect(refused?.mend).toBeTruthy();
  });

  test('A14: an entry whose packed bytes hold the next local header overlaps it', async () => {
    const inner = buildZip([{ name: 'b', content: 'x', method: 0 }]).subarray(0, 32);
    const outerHeaderBytes = 30 + 1;
    const archive = buildZip([
      { name: 'a', content: inner, method: 0 },
      { name: 'b', content: 'x', method: 0, localOffset: outerHeaderBytes },
    ]);
    expect((await inspect(archive)).refused?.code).toBe('ARCHIVE_OVERLAP');
  });

  test('A12: packed over 100:1 is refused before anything is unpacked', async () => {
    const zeros = Buffer.alloc(15 * 1024 ** 2);
    const { refused } = await inspect(buildZip([{ name: 'zeros', content: zeros }]));
    expect(refused).toMatchObject({ code: 'ARCHIVE_TOO_LARGE', httpStatus: 413 });
    expect(refused?.message).toContain('100 times');
  });

  test('A12: many files that are fine one by one are too much together', async () => {
    const packed = deflateRawSync(Buffer.alloc(1000));
    const entries = ['a', 'b', 'c'].map((name) => ({ name, packed, method: 8, claimedBytes: 1000 }));
    const { refused } = await inspect(buildZip(entries), { expandedBytes: 2999 });
    expect(refused?.code).toBe('ARCHIVE_TOO_LARGE');
  });

  test('A28: a directory record that the count leaves out', async () => {
    const archive = buildZip([honest, { name: 'hidden', localOffset: 0 }], { claimedEntries: 1 });
    expect((await inspect(archive)).refused?.message).toContain('its directory is not where or as long');
  });

  test('A28: a data descriptor that differs from the directory', async () => {
    const archive = buildZip([{ name: 'a', content: 'hello', method: 0, descriptor: 'marked' }]);
    const checksumStart = 30 + 1 + 5 + 4;
    archive.writeUInt32LE(1, checksumStart);
    expect((await inspect(archive)).refused?.message).toContain('data descriptor');
  });

  test('A03: an absolute path is called one', async () => {
    expect((await inspect(buildZip(named('/etc/x')))).refused?.message).toBe(
      'The name "/etc/x" is an absolute path.',
    );
  });

  test('A22: the message shows a hostile name escaped', async () => {
    const { refused } = await inspect(buildZip(named('\u202e\u001b[2J"\n')));
    expect(refused?.message).toContain(String.raw`"\u{202e}\u{1b}[2J\"\u{a}"`);
    expect(refused?.message).toMatch(/^[ -~]*$/);
  });

  test.each([10, 20, 30, 40, 50, 60, 70, 80, 90])('A25: cut at %d percent', async (percent) => {
    const archive = buildZip([honest, { name: 'a.js', content: 'console.log(1);'.repeat(50) }]);
    const { refused } = await inspect(archive.subarray(0, (archive.length * percent) / 100));
    expect(refused?.code).toBe('ARCHIVE_CORRUPT');
  });
});

describe('zip archives that are accepted', () => {
  test('A10: odd modes are normalised to the execute bit', async () => {
    const modes = [0o104755, 0o102644, 0o101777, 0o100666, 0];
    const entries = modes.map((mode, index) => ({ name: `f${index}`, content: 'x', mode }));
    const { reviewed } = await inspect(buildZip(entries));
    const executable = reviewed?.nodes.map((node) => node.kind === 'file' && node.executable);
    expect(executable).toEqual([true, false, true, false, false]);
  });

  test('A16: a zip inside stays a plain file', async () => {
    const inner = buildZip([{ name: '../../etc/x', content: 'x' }]);
    const { reviewed } = await inspect(buildZip([honest, { name: 'inner.zip', content: inner, method: 0 }]));
    expect(reviewed?.nodes[0]).toMatchObject({ path: 'inner.zip', content: inner });
  });

  test('A23: names without the UTF-8 flag are taken as UTF-8 when they are', async () => {
    const { reviewed } = await inspect(buildZip([{ name: 'r\u00e9sum\u00e9.md', content: 'x', flags: 0 }]));
    expect(reviewed?.nodes[0]?.path).toBe('r\u00e9sum\u00e9.md');
  });

  test('A23: the unicode path field gives the name', async () => {
    const { reviewed } = await inspect(
      buildZip([{ name: 'u', content: 'x', flags: 0, extra: unicodePath('u', '\u00fc') }]),
    );
    expect(reviewed?.nodes[0]?.path).toBe('\u00fc');
  });

  test.each(['marked', 'plain'] as const)('data descriptors (%s)', async (descriptor) => {
    const { reviewed } = await inspect(buildZip([{ name: 'a', content: 'hello', descriptor }, honest]));
    expect(reviewed?.nodes.map(({ path }) => path)).toEqual(['a', 'package.json']);
  });

  test('A30: a short NTFS field and a short timestamp are ignored', async () => {
    const extra = Buffer.concat([zipExtra(0x000a, Buffer.alloc(3)), zipExtra(0x5455, Buffer.alloc(1))]);
    expect((await inspect(buildZip([{ ...honest, extra }]))).reviewed?.nodes).toHaveLength(1);
  });

  test('an archive comment is no junk', async () => {
    const { reviewed } = await inspect(buildZip([honest], { comment: Buffer.from('made by hand') }));
    expect(reviewed?.nodes).toHaveLength(1);
  });

  test('exactly as many entries as allowed', async () => {
    expect((await inspect(buildZip(emptyFiles(5000)))).reviewed?.nodes).toHaveLength(5000);
  });
});
