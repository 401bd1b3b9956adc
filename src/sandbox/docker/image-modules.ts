import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from 'tar-stream';
import { InfraError } from '../../domain/errors.ts';
import { readTree, type ContextFile, type ContextHost } from './image-files.ts';

const INSTALL_DEADLINE_MS = 600_000;
/** What nothing needs that runs: types, source maps, prose. */
const LEFT_OUT = /(?:\.map|\.md|\.d\.[cm]?ts|\.markdown)$|(?:^|\/)(?:\.bin|\.package-lock\.json)(?:\/|$)/;

/**
 * The packages of an image's package-lock.json as a tar with the folder node_modules, for the containers' platform. They
 * come from the cache or by the host's own npm, which checks each against its digest in the lockfile and runs none of
 * their scripts. Throws InfraError `MODULES_UNAVAILABLE`.
 */
export async function installModules(
  files: readonly ContextFile[],
  host: ContextHost,
  signal: AbortSignal,
): Promise<Buffer> {
  const manifests = files.filter((file) => /^package(?:-lock)?\.json$/.test(file.path));
  const hash = createHash('sha256').update(`${process.arch}\0`);
  manifests.forEach((file) => hash.update(`${file.path}\0`).update(file.content));
  const cached = join(host.cacheDir, `modules-${hash.digest('hex').slice(0, 32)}.tar`);
  const known = await readFile(cached).catch(() => undefined);
  if (known) {
    return known;
  }
  const folder = join(host.cacheDir, `modules-install-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await Promise.all(manifests.map((file) => writeFile(join(folder, file.path), file.content)));
    await runNpm(folder, host, signal);
    const tar = await packModules(join(folder, 'node_modules'));
    await writeFile(join(folder, 'modules.tar'), tar);
    await rename(join(folder, 'modules.tar'), cached);
    return tar;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runNpm(folder: string, host: ContextHost, signal: AbortSignal): Promise<void> {
  const platform = ['--os=linux', `--cpu=${process.arch}`, '--libc=glibc'];
  const quiet = ['--no-audit', '--no-fund', '--silent'];
  try {
    await promisify(execFile)('npm', ['ci', '--omit=dev', '--ignore-scripts', ...platform, ...quiet], {
      cwd: folder,
      env: host.childEnv,
      signal,
      timeout: INSTALL_DEADLINE_MS,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new InfraError(
      'MODULES_UNAVAILABLE',
      'the packages of the grader for code suites could not be installed',
      {
        mend: 'make "npm ci" work in docker/vitest on this host, then try again',
        cause: error,
      },
    );
  }
}

async function packModules(folder: string): Promise<Buffer> {
  const tar = pack();
  for (const { path, content } of await readTree(folder)) {
    if (!LEFT_OUT.test(path)) {
      const mode = /(?:^|\/)bin\//.test(path) ? 0o755 : 0o644;
      tar.entry({ name: `node_modules/${path}`, mode, mtime: new Date(0), uid: 0, gid: 0 }, content);
    }
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) {
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}
