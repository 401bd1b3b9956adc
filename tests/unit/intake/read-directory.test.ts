import { execFileSync } from 'node:child_process';
import { chmod, link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inspectSource } from '../../../src/intake/inspect-source.ts';
import { DEFAULT_INTAKE_LIMITS } from '../../../src/intake/limits.ts';

/** The standard tool; Node itself makes no pipes. */
const MAKE_PIPE = 'mkfifo';

let root: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'assay-intake-'));
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

async function put(path: string, content: string | Buffer = 'x'): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), content);
}

function inspectRoot(limits = {}) {
  return inspectSource(root, { ...DEFAULT_INTAKE_LIMITS, ...limits });
}

describe('a directory', () => {
  test('comes with its folders and execute bits', async () => {
    await put('src/run.sh', '#!/bin/sh');
    await chmod(join(root, 'src/run.sh'), 0o4710);
    await mkdir(join(root, 'empty'));
    const { nodes } = await inspectRoot();
    expect(nodes.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
      'directory empty',
      'directory src',
      'file src/run.sh',
    ]);
    expect(nodes[2]).toMatchObject({ executable: true, content: Buffer.from('#!/bin/sh') });
  });

  test.each([
    ['to a file outside', '/etc/passwd'],
    ['to a folder', '.'],
    ['to nothing', 'nowhere'],
  ])('a symbolic link %s is refused by name', async (_title, target) => {
    await put('a.js');
    await symlink(target, join(root, 'ln'));
    await expect(inspectRoot()).rejects.toMatchObject({
      code: 'ARCHIVE_LINK',
      message: '"ln" is a symbolic link.',
      mend: expect.stringContaining('node_modules'),
    });
  });

  test('a hard link is a file like any other', async () => {
    await put('a.js', 'same');
    await link(join(root, 'a.js'), join(root, 'b.js'));
    expect((await inspectRoot()).nodes).toHaveLength(2);
  });

  test('A09: a pipe is refused and nobody waits for it', async () => {
    execFileSync(MAKE_PIPE, [join(root, 'pipe')]);
    await expect(inspectRoot()).rejects.toMatchObject({ code: 'ARCHIVE_SPECIAL_FILE' });
  });

  test('A09: a socket is refused', async () => {
    const server = createServer().listen(join(root, 'sock'));
    await new Promise((resolve) => server.once('listening', resolve));
    await expect(inspectRoot()).rejects.toMatchObject({ code: 'ARCHIVE_SPECIAL_FILE' });
    await new Promise((resolve) => server.close(resolve));
  });

  test('A23: a name that is no UTF-8 is refused', async () => {
    await put('a.js');
    await writeFile(Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0x61, 0xff])]), 'x');
    await expect(inspectRoot()).rejects.toMatchObject({
      code: 'ARCHIVE_UNSAFE_PATH',
      message: expect.stringContaining('\\xff'),
    });
  });

  test('the limits of an archive hold', async () => {
    await put('a/b/c', Buffer.alloc(100));
    await expect(inspectRoot({ fileBytes: 99 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
    await expect(inspectRoot({ expandedBytes: 99 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
    await expect(inspectRoot({ entries: 2 })).rejects.toMatchObject({ code: 'ARCHIVE_TOO_MANY_FILES' });
    await expect(inspectRoot({ depth: 2 })).rejects.toMatchObject({ code: 'ARCHIVE_UNSAFE_PATH' });
    expect(
      (await inspectRoot({ fileBytes: 100, expandedBytes: 100, entries: 3, depth: 3 })).nodes,
    ).toHaveLength(3);
  });

  test.each(['', 'app/'])('the history in "%s" is not walked', async (prefix) => {
    await put(`${prefix}a.js`);
    await put(`${prefix}.git/objects/pack`, Buffer.alloc(5000));
    await symlink('/etc/passwd', join(root, `${prefix}.git/ln`));
    const { nodes, notices } = await inspectRoot({ expandedBytes: 100 });
    expect(nodes.map(({ path }) => path)).not.toContain(`${prefix}.git`);
    expect(notices).toEqual([`"${prefix}.git" was left out: the history is not graded.`]);
  });

  test('A33: an empty one is no project', async () => {
    await expect(inspectRoot()).rejects.toMatchObject({ code: 'NO_PROJECT' });
  });

  test('a missing one is unreadable', async () => {
    await expect(inspectSource(join(root, 'nope'), DEFAULT_INTAKE_LIMITS)).rejects.toMatchObject({
      code: 'ARCHIVE_UNREADABLE',
      message: '"nope" cannot be read (ENOENT).',
    });
  });

  test('a pipe in place of an archive is the wrong type', async () => {
    execFileSync(MAKE_PIPE, [join(root, 'pipe')]);
    await expect(inspectSource(join(root, 'pipe'), DEFAULT_INTAKE_LIMITS)).rejects.toMatchObject({
      code: 'ARCHIVE_TYPE',
    });
  });
});
