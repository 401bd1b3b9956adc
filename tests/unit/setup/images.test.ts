import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadGrader, listGraders } from '../../../src/grading/graders.ts';
import { readBuildStream } from '../../../src/sandbox/docker/image-build.ts';
import { packImageContext, readImageContext } from '../../../src/sandbox/docker/image-context.ts';
import { fetchNpmArchive } from '../../../src/sandbox/docker/image-npm.ts';
import { makeSharedWork } from '../../../src/sandbox/docker/shared-work.ts';

const signal = new AbortController().signal;
let root = '';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'assay-images-'));
  await mkdir(join(root, 'docker/thing'), { recursive: true });
  await writeFile(join(root, 'docker/thing/Dockerfile'), 'ARG BASE=node\nFROM ${BASE}\n');
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

describe('build context', () => {
  test('names its parent and changes its digest with its files', async () => {
    const before = await readImageContext(root, 'thing');
    await writeFile(join(root, 'docker/thing/more.txt'), 'x');
    const after = await readImageContext(root, 'thing');
    expect(before.parent).toBe('node');
    expect(after.digest).not.toBe(before.digest);
    expect((await readImageContext(root, 'thing')).digest).toBe(after.digest);
  });

  test('builds on base where nothing is said', async () => {
    await writeFile(join(root, 'docker/thing/Dockerfile'), 'ARG BASE\nFROM ${BASE}\n');
    expect((await readImageContext(root, 'thing')).parent).toBe('base');
  });

  test('packs to the same bytes each time', async () => {
    const context = await readImageContext(root, 'thing');
    const host = { root, cacheDir: root, childEnv: {} };
    const [first, second] = await Promise.all([1, 2].map(() => packImageContext(context, host, signal)));
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(true);
  });

  test('an image without a folder or Dockerfile is unknown', async () => {
    await mkdir(join(root, 'docker/empty'));
    await expect(readImageContext(root, 'missing')).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
    await expect(readImageContext(root, 'empty')).rejects.toMatchObject({ code: 'IMAGE_UNKNOWN' });
  });

  test('an archive of npm with another digest is not taken', async () => {
    const pin = Buffer.from(JSON.stringify({ version: '11.21.2', integrity: 'sha512-AAAA' }));
    const cacheDir = join(root, 'cache');
    await mkdir(cacheDir);
    await writeFile(join(cacheDir, 'npm-11.21.2.tgz'), 'forged');
    // Without a package client on its path the cache is all there is.
    const fetched = fetchNpmArchive(pin, { root, cacheDir, childEnv: { PATH: '/nowhere' } }, signal);
    await expect(fetched).rejects.toMatchObject({ code: 'NPM_UNAVAILABLE' });
  });
});

describe('build stream', () => {
  function read(...chunks: string[]): Promise<string> {
    return readBuildStream(
      'assay/thing:1',
      Readable.from(chunks.map((chunk) => Buffer.from(chunk))),
      () => undefined,
    );
  }

  test('gives the id, also of a message cut across chunks', async () => {
    await expect(read('{"stream":"Step 1"}\r\n{"aux":{"I', 'D":"sha256:1"}}\n')).resolves.toBe('sha256:1');
  });

  test('an error after an id is a failure, with the last lines', async () => {
    const failed = read('{"aux":{"ID":"sha256:1"}}\n{"stream":"E: no such package"}\n{"error":"exit 100"}\n');
    await expect(failed).rejects.toThrow(/exit 100\nE: no such package/);
  });

  test('an end without an id is a failure', async () => {
    await expect(read('{"stream":"Step 1"}\n')).rejects.toMatchObject({ code: 'IMAGE_BUILD_FAILED' });
  });

  test('a line without end is cut off', async () => {
    await expect(read('x'.repeat(300_000))).rejects.toThrow(/printed more/);
  });
});

describe('shared work', () => {
  test('two callers share one start', async () => {
    const work = makeSharedWork<number>();
    let starts = 0;
    async function start(): Promise<number> {
      starts += 1;
      return Promise.resolve(7);
    }
    await expect(
      Promise.all([work.join('a', start, signal), work.join('a', start, signal)]),
    ).resolves.toEqual([7, 7]);
    expect(starts).toBe(1);
  });

  test('one that leaves does not disturb the other; the last one ends the work', async () => {
    const work = makeSharedWork<string>();
    const first = new AbortController();
    const second = new AbortController();
    let ended = false;
    function start(flight: AbortSignal): Promise<string> {
      return new Promise((_resolve, reject) => {
        flight.addEventListener('abort', () => {
          ended = true;
          reject(new Error('aborted'));
        });
      });
    }
    const one = work.join('a', start, first.signal);
    const two = work.join('a', start, second.signal);
    first.abort(new Error('first left'));
    await expect(one).rejects.toThrow('first left');
    expect(ended).toBe(false);
    second.abort(new Error('second left'));
    await expect(two).rejects.toThrow('second left');
    expect(ended).toBe(true);
  });

  test('a failure is not remembered', async () => {
    const work = makeSharedWork<number>();
    await expect(work.join('a', () => Promise.reject(new Error('once')), signal)).rejects.toThrow('once');
    await expect(work.join('a', () => Promise.resolve(1), signal)).resolves.toBe(1);
  });
});

describe('graders', () => {
  const GOOD = `image: grader
command: [node, /graders/api/main.js]
resources: { cpus: 1, memory: 256MiB, pids: 64, files: 1024 }
deadline: 5m
`;

  async function install(name: string, text: string): Promise<void> {
    await mkdir(join(root, 'graders', name), { recursive: true });
    await writeFile(join(root, 'graders', name, 'grader.yaml'), text);
  }

  test('are read with their limits in plain units', async () => {
    await install('api', GOOD);
    expect(await loadGrader(root, 'api')).toEqual({
      name: 'api',
      image: 'grader',
      command: ['node', '/graders/api/main.js'],
      limits: { cpus: 1, memoryBytes: 256 * 1024 ** 2, pids: 64, files: 1024, wallMs: 300_000 },
    });
  });

  test('one that is not there is the fault of the spec, and the others are named', async () => {
    await install('api', GOOD);
    await mkdir(join(root, 'graders/shared'));
    expect(await listGraders(root)).toEqual(['api']);
    await expect(loadGrader(root, 'chaos')).rejects.toMatchObject({
      code: 'GRADER_NOT_INSTALLED',
      blame: 'spec',
      mend: 'use one of the installed graders: api',
    });
    await expect(loadGrader(root, '../graders/api')).rejects.toMatchObject({ code: 'GRADER_NOT_INSTALLED' });
  });

  test('a wrong file names its field', async () => {
    await install('api', GOOD.replace('256MiB', 'lots'));
    await expect(loadGrader(root, 'api')).rejects.toThrow(/graders\/api\/grader\.yaml.*resources\.memory/);
  });
});
