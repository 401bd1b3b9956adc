import { execFile } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { InfraError } from '../../domain/errors.ts';
import type { ContextHost } from './image-files.ts';

const FETCH_DEADLINE_MS = 120_000;
const NpmPinSchema = z.object({
  version: z.string().regex(/^\d+\.\d+\.\d+$/),
  integrity: z.string().startsWith('sha512-'),
});

/**
 * The released archive of the npm that `pin` (npm.json) names, from the cache or by the host's own npm, which knows
 * the registry and its certificates. The digest is checked on every use.
 * Throws InfraError `NPM_UNAVAILABLE` when it cannot be fetched or differs from its pinned digest.
 */
export async function fetchNpmArchive(pin: Buffer, host: ContextHost, signal: AbortSignal): Promise<Buffer> {
  const { version, integrity } = NpmPinSchema.parse(JSON.parse(pin.toString('utf8')));
  const cached = join(host.cacheDir, `npm-${version}.tgz`);
  const known = await readFile(cached).catch(() => undefined);
  if (known && integrityOf(known) === integrity) {
    return known;
  }
  const folder = join(host.cacheDir, `npm-fetch-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true });
    await packWithHostNpm(version, folder, host, signal);
    const archive = await readFile(join(folder, `npm-${version}.tgz`));
    if (integrityOf(archive) !== integrity) {
      throw new InfraError(
        'NPM_UNAVAILABLE',
        `npm ${version} has another digest than docker/runtime-node/npm.json`,
        {
          mend: 'check the package registry the host uses; it serves something else under this version',
        },
      );
    }
    await rename(join(folder, `npm-${version}.tgz`), cached);
    return archive;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function packWithHostNpm(version: string, folder: string, host: ContextHost, signal: AbortSignal) {
  try {
    await promisify(execFile)('npm', ['pack', `npm@${version}`, '--pack-destination', folder, '--silent'], {
      cwd: folder,
      env: host.childEnv,
      signal,
      timeout: FETCH_DEADLINE_MS,
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new InfraError('NPM_UNAVAILABLE', `npm ${version} for the node runtime could not be fetched`, {
      mend: `make "npm pack npm@${version}" work on this host, then try again`,
      cause: error,
    });
  }
}

function integrityOf(archive: Buffer): string {
  return `sha512-${createHash('sha512').update(archive).digest('base64')}`;
}
