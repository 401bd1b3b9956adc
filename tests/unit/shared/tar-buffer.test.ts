import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { packTar, readTar, readTarEntry, type TarEntry } from '../../../src/shared/tar-buffer.ts';

function file(path: string, content = 'x', executable = false): TarEntry {
  return { path, type: 'file', executable, content: Buffer.from(content) };
}

describe('tar in memory', () => {
  const entries: TarEntry[] = [
    { path: 'a', type: 'directory', executable: true, content: Buffer.alloc(0) },
    file('a/run.sh', 'echo', true),
    file('a/empty', ''),
    file('a/block', 'y'.repeat(512)),
    file('long/'.repeat(30) + 'name.txt'),
    file(`${'d'.repeat(120)}/${'n'.repeat(119)}`),
    file('ünïcode/naïve-☃.txt', 'ö'),
  ];

  it('reads what it wrote', () => {
    expect(readTar(packTar(entries))).toEqual(entries);
  });

  it('writes what tar reads, names and all', () => {
    const listed = execFileSync('tar', ['tf', '-', '--quoting-style=literal'], { input: packTar(entries) });
    expect(listed.toString().trim().split('\n')).toEqual(
      entries.map((entry) => (entry.type === 'directory' ? `${entry.path}/` : entry.path)),
    );
    const verbose = execFileSync('tar', ['tvf', '-', '--numeric-owner'], {
      input: packTar(entries),
    }).toString();
    expect(verbose).toMatch(/^drwxr-xr-x 10001\/10001 .*a\/$/m);
    expect(verbose).toMatch(/^-rwxr-xr-x 10001\/10001 .*run\.sh$/m);
    expect(verbose).toMatch(/^-rw-r--r-- 10001\/10001 .*empty$/m);
  });

  it('finds one entry', () => {
    expect(readTarEntry(packTar(entries), 'a/run.sh')?.toString()).toBe('echo');
    expect(readTarEntry(packTar(entries), 'a')).toBeUndefined();
    expect(readTarEntry(packTar(entries), 'run.sh')).toBeUndefined();
  });

  it('refuses a tar that is cut off or holds something else', () => {
    const tar = packTar([file('a', 'z'.repeat(2000))]);
    expect(() => readTar(tar.subarray(0, 1024))).toThrow('cut off');
    const link = Buffer.from(tar);
    link.write('2', 156);
    expect(() => readTar(link)).toThrow('type "2"');
  });
});
