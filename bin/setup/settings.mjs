import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian release that all images of ours are made from. */
const SUITE = 'trixie';

/** Everything set-up takes from its surroundings, read once. */
export function readSettings() {
  // Set-up runs before src/config.ts can be loaded, so it reads its few variables here and nowhere else.
  // oxlint-disable-next-line node/no-process-env
  const env = process.env;
  const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
  return {
    root,
    home: resolve(root, env.ASSAY_HOME || '.assay'),
    dockerHost: env.DOCKER_HOST || undefined,
    sayYes: env.ASSAY_YES === '1',
    interactive: Boolean(process.stdin.isTTY && process.stdout.isTTY),
    isRoot: process.getuid?.() === 0,
    os: readOs(),
    suite: SUITE,
    baseTag: `assay-base:${SUITE}`,
    env,
  };
}

function readOs() {
  const file = '/etc/os-release';
  return existsSync(file) ? parseOsRelease(readFileSync(file, 'utf8')) : { id: process.platform, like: [] };
}

/** Reads /etc/os-release. `like` holds the id and its relatives. */
export function parseOsRelease(text) {
  const values = new Map(
    text
      .split('\n')
      .map((line) => /^([A-Z_]+)=(.*)$/.exec(line.trim()))
      .filter((match) => match !== null)
      .map((match) => [match[1], match[2].replace(/^(["'])(.*)\1$/, '$2')]),
  );
  const id = values.get('ID') ?? 'linux';
  return {
    id,
    like: [id, ...(values.get('ID_LIKE') ?? '').split(' ').filter(Boolean)],
    codename: values.get('VERSION_CODENAME'),
    name: values.get('PRETTY_NAME') ?? id,
  };
}
