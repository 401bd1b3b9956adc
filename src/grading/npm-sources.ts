import { IntakeError } from '../domain/errors.ts';
import { DEPENDENCY_FIELDS } from './package-json.ts';

/** A semver range or a tag: nothing that npm could take for a path, a repository or an address. */
const RANGE = /^(?!\.)(?!.*\.(?:tgz|tar|tar\.gz)$)[\w.*+<>=~^|\t -]*$/i;
const PACKAGE_NAME = /^(?:@[\w.~-]+\/)?[\w.~-]+$/;
const ALIAS = /^npm:((?:@[\w.~-]+\/)?[\w.~-]+)(?:@(.*))?$/;
/** Where every npm registry keeps its archives; the host is replaced by the configured registry's. */
const REGISTRY_ARCHIVE = /^\/(?:[\w.~%@-]+\/)+-\/(?:[\w.~%@-]+\/)?[\w.~%+@-]+\.tgz$/;

const MEND =
  'Use a version that the package registry has, or hand in node_modules or the code itself as part of your files.';

/**
 * Refuses what would send the package client anywhere but the configured registry: addresses, repositories, paths
 * and workspaces in the fields of a parsed package.json. Throws IntakeError `DEPENDENCY_SOURCE` or
 * `MANIFEST_INVALID`. The same is switched off in the client itself; this gives the candidate the place.
 */
export function checkPackageSources(file: string, manifest: unknown): void {
  const fields = toRecord(manifest);
  for (const field of DEPENDENCY_FIELDS) {
    for (const [name, spec] of Object.entries(toRecord(fields[field]))) {
      checkSpec(`${file}: ${field}`, name, spec);
    }
  }
  checkOverrides(`${file}: overrides`, toRecord(fields['overrides']), 0);
  if (fields['workspaces'] !== undefined) {
    throw new IntakeError('DEPENDENCY_SOURCE', `${file} has workspaces; they are not supported.`, {
      mend: 'Hand in one package with its own package.json.',
    });
  }
}

/** The same for a parsed package-lock.json or npm-shrinkwrap.json of any version. */
export function checkLockSources(file: string, lock: unknown): void {
  const fields = toRecord(lock);
  for (const [key, value] of Object.entries(toRecord(fields['packages']))) {
    const entry = toRecord(value);
    if (entry['link'] === true || (key !== '' && !/(?:^|\/)node_modules\//.test(key))) {
      throw refused(file, key, 'is a link to a folder');
    }
    checkResolved(file, key, entry['resolved']);
    for (const field of DEPENDENCY_FIELDS) {
      for (const [name, spec] of Object.entries(toRecord(entry[field]))) {
        checkSpec(`${file}: packages["${show(key)}"].${field}`, name, spec);
      }
    }
  }
  checkOldLock(file, toRecord(fields['dependencies']), 0);
}

/** `version` and `resolved` of lockfile version 1, whose entries nest. */
function checkOldLock(file: string, dependencies: Record<string, unknown>, depth: number): void {
  checkDepth(file, depth);
  for (const [name, value] of Object.entries(dependencies)) {
    const entry = toRecord(value);
    checkSpec(`${file}: dependencies`, name, entry['version'] ?? '');
    checkResolved(file, name, entry['resolved']);
    for (const [required, spec] of Object.entries(toRecord(entry['requires']))) {
      checkSpec(`${file}: dependencies.${show(name)}.requires`, required, spec);
    }
    checkOldLock(file, toRecord(entry['dependencies']), depth + 1);
  }
}

function checkOverrides(place: string, overrides: Record<string, unknown>, depth: number): void {
  checkDepth(place, depth);
  for (const [key, value] of Object.entries(overrides)) {
    const at = key.lastIndexOf('@');
    const name = at > 0 ? key.slice(0, at) : key;
    if (typeof value === 'object' && value !== null) {
      checkName(place, name);
      checkOverrides(place, toRecord(value), depth + 1);
    } else if (typeof value !== 'string' || !/^\$[@\w./~-]+$/.test(value)) {
      checkSpec(place, name, value);
    }
  }
}

function checkSpec(place: string, name: string, spec: unknown): void {
  checkName(place, name);
  if (typeof spec !== 'string') {
    throw refused(place, name, 'has no version');
  }
  const alias = ALIAS.exec(spec);
  const range = alias ? (alias[2] ?? '') : spec;
  if (!RANGE.test(range)) {
    throw refused(place, name, `comes from "${show(spec)}", which is no version of a registry package`);
  }
}

function checkName(place: string, name: string): void {
  // "." is what an override uses for the package itself.
  if (!PACKAGE_NAME.test(name)) {
    throw refused(place, name, 'is no package name');
  }
}

function checkResolved(file: string, name: string, resolved: unknown): void {
  // `true` and absence both say: ask the registry.
  if (resolved === undefined || typeof resolved === 'boolean') {
    return;
  }
  const url = typeof resolved === 'string' && URL.canParse(resolved) ? new URL(resolved) : undefined;
  const isArchive =
    url !== undefined &&
    /^https?:$/.test(url.protocol) &&
    url.username === '' &&
    url.search === '' &&
    REGISTRY_ARCHIVE.test(url.pathname);
  if (!isArchive) {
    throw refused(
      file,
      name,
      `is resolved to ${show(JSON.stringify(resolved))}, which is no archive of a registry`,
    );
  }
}

function checkDepth(place: string, depth: number): void {
  if (depth > 50) {
    throw new IntakeError('MANIFEST_INVALID', `${place} is nested too deeply.`, {
      mend: 'Write it anew with "npm install".',
    });
  }
}

function refused(place: string, name: string, what: string): IntakeError {
  return new IntakeError('DEPENDENCY_SOURCE', `${place}: "${show(name)}" ${what}.`, { mend: MEND });
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function show(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 120);
}
