import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.mjs';

/** True when node_modules was installed from the package-lock.json that is there now. */
export async function packagesMatchLock(root) {
  const lock = await readFile(join(root, 'package-lock.json'), 'utf8');
  const stamp = await readFile(stampFile(root), 'utf8').catch(() => '');
  if (stamp === digestOf(lock)) {
    return true;
  }
  const installed = await readFile(join(root, 'node_modules/.package-lock.json'), 'utf8').catch(
    () => undefined,
  );
  if (installed === undefined || !sameVersions(JSON.parse(lock), JSON.parse(installed))) {
    return false;
  }
  // Somebody ran npm by hand; what it noted is the same set.
  await writeFile(stampFile(root), digestOf(lock));
  return true;
}

/**
 * Installs exactly what package-lock.json names, without running install scripts: none of the packages needs its own,
 * and they are code of others that would run as whoever sets this up. Throws CommandFailed.
 */
export async function installPackages(root, log) {
  await run('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=http'], {
    log,
    cwd: root,
  });
  await writeFile(stampFile(root), digestOf(await readFile(join(root, 'package-lock.json'), 'utf8')));
}

/**
 * Compares a lockfile with npm's own note of what it installed. Packages that are optional (other platforms) may be
 * left out of the note; nothing may be there in another version.
 */
export function sameVersions(lock, installed) {
  const wanted = Object.entries(lock.packages ?? {}).filter(([path]) => path !== '');
  return (
    wanted.length > 0 &&
    wanted.every(([path, entry]) => {
      const present = installed.packages?.[path];
      return present ? present.version === entry.version : entry.optional === true;
    })
  );
}

function stampFile(root) {
  return join(root, 'node_modules/.assay-lock');
}

function digestOf(text) {
  return createHash('sha256').update(text).digest('hex');
}
