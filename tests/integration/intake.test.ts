import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { constants, deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { CanonicalSubmission } from '../../src/domain/submission.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import type { IntakeLimits } from '../../src/intake/limits.ts';
import { buildTar, buildZip, seededRandom, type ZipEntrySpec } from '../helpers/archives.ts';

const MIB = 1024 ** 2;
/** The promise for hostile input; a reader that goes over is killed and the test sees INTAKE_CRASHED. */
const RSS_PROMISE: Partial<IntakeLimits> = { rssBytes: 300e6 };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-intake-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

afterEach(() => {
  expect(readerPids(), 'no reading process is left').toEqual([]);
});

async function put(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

function inspect(path: string, limits: Partial<IntakeLimits> = {}, signal = new AbortController().signal) {
  return inspectSubmission({ path }, limits, signal);
}

/** Children of this process that run the reader. */
function readerPids(): number[] {
  const pids = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .trim()
    .split(' ')
    .filter(Boolean);
  return pids.map(Number).filter((pid) => commandLine(pid).includes('assay-reader'));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

async function untilReaderRuns(): Promise<number> {
  for (;;) {
    const [pid] = readerPids();
    if (pid !== undefined) {
      return pid;
    }
    await sleep(2);
  }
}

function noise(bytes: number): Buffer {
  const random = seededRandom(bytes);
  const words = new Uint32Array(bytes / 4).map(() => random() * 2 ** 32);
  return Buffer.from(words.buffer);
}

describe('one tree, whatever it comes in', () => {
  const long = `${'folder-of-a-rather-long-name/'.repeat(4)}\u00e9-file.txt`;

  async function makeTree(): Promise<string> {
    const root = join(folder, 'tree');
    await mkdir(join(root, long, '..'), { recursive: true });
    await mkdir(join(root, 'empty'));
    await mkdir(join(root, '.git/hooks'), { recursive: true });
    await writeFile(join(root, '.git/hooks/pre-commit'), '#!/bin/sh\n');
    await writeFile(join(root, long), 'long');
    await writeFile(join(root, 'package.json'), '{}');
    await writeFile(join(root, 'start.sh'), '#!/bin/sh\n');
    await writeFile(join(root, 'data.bin'), noise(300_000));
    await writeFile(join(root, 'none'), '');
    await chmod(join(root, 'start.sh'), 0o775);
    return root;
  }

  test('directory, zip, tar and tar.gz by three packers have one digest', async () => {
    const root = await makeTree();
    function at(name: string): string {
      return join(folder, name);
    }
    execFileSync('tar', ['-cf', at('gnu.tar'), '.'], { cwd: root });
    execFileSync('tar', ['-czf', at('gnu.tar.gz'), ...(await readdir(root))], { cwd: root });
    execFileSync('tar', ['--format=pax', '-czf', at('pax.tar.gz'), '.'], { cwd: root });
    await put('ours.zip', await zipOf(root, ''));
    const names = ['gnu.tar', 'gnu.tar.gz', 'pax.tar.gz', 'ours.zip'];
    // Sequential on purpose: each starts a process.
    const submissions: CanonicalSubmission[] = [await inspect(root)];
    for (const name of names) {
      submissions.push(await inspect(at(name)));
    }
    const [first] = submissions;
    expect(first?.files.map(({ path }) => path)).toEqual(
      ['data.bin', long, 'none', 'package.json', 'start.sh'].sort(),
    );
    expect(first?.files.at(-1)).toEqual({ path: 'start.sh', bytes: 10, executable: true });
    expect(first?.notices).toEqual(['".git" was left out: the history is not graded.']);
    for (const submission of submissions) {
      expect(submission.digest).toBe(first?.digest);
      expect(submission.tar.equals(first?.tar ?? Buffer.alloc(0))).toBe(true);
    }
    const changed = await put('other.zip', buildZip([{ name: 'package.json', content: '{ }' }]));
    expect((await inspect(changed)).digest).not.toBe(first?.digest);
  });

  test('the tar is one that GNU tar reads', async () => {
    const { tar } = await inspect(join(folder, 'tree'));
    const listed = execFileSync('tar', ['--numeric-owner', '--full-time', '--utc', '-tvf', '-'], {
      input: tar,
    }).toString();
    expect(listed).toMatch(/^-rwxr-xr-x 10001\/10001 +10 1970-01-01 00:00:00 start\.sh$/m);
    expect(listed).toMatch(/^drwxr-xr-x 10001\/10001 +0 1970-01-01 00:00:00 empty\/$/m);
  });

  test('A29: names of the upload decide nothing', async () => {
    const zip = await put('upload.tar.gz', buildZip([{ name: 'a', content: 'x' }]));
    const tar = await put('upload.zip', buildTar([{ name: 'a', content: 'x' }]));
    expect((await inspect(zip)).digest).toBe((await inspect(tar)).digest);
  });

  test('A34: the same archive twice has one digest', async () => {
    const path = await put('twice.zip', buildZip([{ name: 'a', content: 'x' }]));
    expect((await inspect(path)).digest).toBe((await inspect(path)).digest);
  });
});

async function zipOf(root: string, prefix: string): Promise<Buffer> {
  const entries: ZipEntrySpec[] = [];
  async function add(path: string): Promise<void> {
    for (const entry of await readdir(join(root, path), { withFileTypes: true })) {
      const name = `${path}${entry.name}`;
      if (entry.isDirectory()) {
        entries.push({ name: `${name}/` });
        await add(`${name}/`);
      } else {
        const mode = entry.name === 'start.sh' ? 0o100775 : 0o100664;
        entries.push({ name, content: readFileSync(join(root, name)), mode });
      }
    }
  }
  await add(prefix);
  return buildZip(entries.reverse());
}

describe('bombs, through the process, below 300 MB', () => {
  const zeros = Buffer.alloc(10 * MIB);

  /** The refusal, which may take two seconds more than that of a wrong type, so that a busy machine is no bomb. */
  async function refusedSoon(path: string): Promise<unknown> {
    const wrongType = await put('type.pdf', Buffer.from('%PDF'));
    const started = performance.now();
    await expect(inspect(wrongType)).rejects.toMatchObject({ code: 'ARCHIVE_TYPE' });
    const baselineMs = performance.now() - started;
    const error: unknown = await inspect(path, RSS_PROMISE).catch((reason: unknown) => reason);
    expect(performance.now() - started).toBeLessThan(2 * baselineMs + 2000);
    return error;
  }

  test('A12: 10 MB of deflate that unpack to 10 GB', async () => {
    const piece = deflateRawSync(zeros, { finishFlush: constants.Z_FULL_FLUSH });
    const packed = Buffer.concat([...Array.from({ length: 1000 }, () => piece), deflateRawSync('')]);
    const claims = [0xffff_fff0, 15 * MIB, 10];
    const codes = [];
    for (const claimedBytes of claims) {
      const path = await put('bomb.zip', buildZip([{ name: 'bomb', method: 8, packed, claimedBytes }]));
      codes.push(await refusedSoon(path));
    }
    expect(codes).toMatchObject([
      { code: 'ARCHIVE_TOO_LARGE' },
      { code: 'ARCHIVE_CORRUPT' },
      { code: 'ARCHIVE_CORRUPT' },
    ]);
  });

  test('A15: 10 MB of gzip members that unpack to 10 GB', async () => {
    const member = gzipSync(zeros);
    const members = Array.from({ length: 1000 }, () => member);
    const path = await put(
      'bomb.tar.gz',
      Buffer.concat([gzipSync(buildTar([{ name: 'a' }])), ...members]).subarray(0, 10 * MIB),
    );
    expect(await refusedSoon(path)).toMatchObject({ code: 'ARCHIVE_TOO_LARGE' });
  });

  test('A17: 70,000 files', async () => {
    const entries = Array.from({ length: 70_000 }, (_, index) => ({ name: `f${index}` }));
    const zip = await put('many.zip', buildZip(entries, { zip64Entries: 70_000 }));
    const wrapped = await put('wrapped.zip', buildZip(entries));
    const tar = await put('many.tar.gz', gzipSync(buildTar(entries), { level: 1 }));
    expect(await refusedSoon(zip)).toMatchObject({ code: 'ARCHIVE_TOO_MANY_FILES' });
    expect(await refusedSoon(wrapped)).toMatchObject({ code: 'ARCHIVE_CORRUPT' });
    expect(await refusedSoon(tar)).toMatchObject({ code: 'ARCHIVE_TOO_MANY_FILES' });
  });

  test('the largest that is allowed is accepted, and this process holds it once', async () => {
    const half = noise(MIB);
    const content = Buffer.concat([half, Buffer.alloc(9 * MIB, 'text ')]);
    const entries = Array.from({ length: 9 }, (_, index) => ({ name: `f${index}`, content }));
    const path = await put('large.zip', buildZip(entries));
    const before = process.memoryUsage().rss;
    const { tar, files } = await inspect(path, RSS_PROMISE);
    expect(files).toHaveLength(9);
    expect(tar.length).toBeGreaterThan(90 * MIB);
    expect(process.memoryUsage().rss - before).toBeLessThan(tar.length + 60 * MIB);
  });
});

describe('A35: the reading process ends early', () => {
  const expected = { code: 'INTAKE_CRASHED', blame: 'infra' };

  async function honestArchive(): Promise<string> {
    return put('honest.zip', buildZip([{ name: 'a.bin', content: noise(4 * MIB) }]));
  }

  test('killed at any moment', async () => {
    const path = await honestArchive();
    for (const delayMs of [0, 100, 200, 300]) {
      const outcome = inspect(path).then(
        () => 'accepted',
        (error: unknown) => error,
      );
      const pid = await untilReaderRuns();
      await sleep(delayMs);
      const alive = readerPids().includes(pid);
      if (alive) {
        process.kill(pid, 'SIGKILL');
        expect(await outcome).toMatchObject(expected);
      } else {
        expect(await outcome).toBe('accepted');
      }
    }
    expect((await inspect(path)).files).toHaveLength(1);
  });

  test('over its memory', async () => {
    await expect(inspect(await honestArchive(), { rssBytes: 20 * MIB })).rejects.toMatchObject({
      ...expected,
      message: expect.stringContaining('20 MiB'),
    });
  });

  test('out of heap', async () => {
    await expect(inspect(await honestArchive(), { heapBytes: 1 })).rejects.toMatchObject(expected);
  });

  test('past its deadline', async () => {
    await expect(inspect(await honestArchive(), { wallMs: 20 })).rejects.toMatchObject({
      code: 'INTAKE_TIMEOUT',
    });
  });

  test('by the caller', async () => {
    const controller = new AbortController();
    const outcome = inspect(await honestArchive(), {}, controller.signal);
    await untilReaderRuns();
    controller.abort(new Error('client went away'));
    await expect(outcome).rejects.toThrow('client went away');
    await expect(inspect('nowhere', {}, controller.signal)).rejects.toThrow('client went away');
  });

  test('and writes nothing beside the archive', async () => {
    await inspect(await honestArchive());
    const before = await readdir(folder);
    await inspect(await honestArchive(), { wallMs: 200 }).catch(() => undefined);
    expect(await readdir(folder)).toEqual(before);
  });
});

describe('refusals cross the process', () => {
  test('with code, message, mend and blame', async () => {
    const path = await put('link.zip', buildZip([{ name: 'a\u202e', mode: 0o120777 }]));
    await expect(inspect(path)).rejects.toMatchObject({
      code: 'ARCHIVE_LINK',
      blame: 'candidate',
      message: String.raw`"a\u{202e}" is a symbolic link.`,
      mend: expect.stringContaining('zip -r'),
    });
  });
});
