import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { imageSources, parseSources, readHostMirror } from '../../../bin/setup/apt-mirror.mjs';

const ONE_LINE = `
# deb http://disabled.test/debian bookworm main
deb [signed-by=/usr/share/keyrings/x.gpg] http://mirror.test/debian/ bookworm main contrib  # comment
deb http://mirror.test/debian bookworm-updates main
deb-src http://mirror.test/debian bookworm main
deb http://security.test/debian-security bookworm-security main
`;

const STANZAS = `Types: deb deb-src
# a comment
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc

Types: deb
Enabled: no
URIs: http://off.test/debian-security
Suites: bookworm-security
Components: main
`;

let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'assay-apt-'));
  await mkdir(join(dir, 'sources.list.d'));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

describe('reading apt sources', () => {
  test('takes the archive of the host release from one-line files', async () => {
    await writeFile(join(dir, 'sources.list'), ONE_LINE);
    expect(readHostMirror('bookworm', dir)).toEqual({
      main: 'http://mirror.test/debian',
      updates: 'http://mirror.test/debian',
      security: 'http://security.test/debian-security',
    });
  });

  test('takes it from stanzas and leaves out disabled ones', async () => {
    await writeFile(join(dir, 'sources.list.d/debian.sources'), STANZAS);
    expect(readHostMirror('bookworm', dir)).toEqual({
      main: 'http://mirror.test/debian',
      updates: 'http://mirror.test/debian',
      security: undefined,
    });
  });

  test('follows a list of mirrors to its first address', async () => {
    await writeFile(
      join(dir, 'mirrors.list'),
      '# ours\nhttp://first.test/debian/\nhttp://second.test/debian\n',
    );
    await writeFile(join(dir, 'sources.list'), `deb mirror+file:${dir}/mirrors.list bookworm main\n`);
    expect(readHostMirror('bookworm', dir)?.main).toBe('http://first.test/debian');
  });

  test('finds no archive where only other software is listed', async () => {
    await writeFile(join(dir, 'sources.list.d/tool.list'), 'deb http://tool.test/apt stable main\n');
    expect(readHostMirror('bookworm', dir)).toBeUndefined();
  });

  test('a stanza with several addresses gives each of them', () => {
    const entries = parseSources('Types: deb\nURIs: http://a.test/ http://b.test/\nSuites: x\n', 'a.sources');
    expect(entries.map((entry: { uri: string }) => entry.uri)).toEqual(['http://a.test/', 'http://b.test/']);
  });
});

test('the image gets the same places under its own suite names, and only those there are', () => {
  const mirror = { main: 'http://m.test/debian', updates: undefined, security: 'http://s.test/sec' };
  expect(imageSources(mirror, 'trixie')).toBe(
    'deb http://m.test/debian trixie main\ndeb http://s.test/sec trixie-security main\n',
  );
});
