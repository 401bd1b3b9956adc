import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** Where a build's package clients fetch from. Undefined: the client's own default. */
export interface RegistrySettings {
  npmRegistry: string | undefined;
  pipIndex: string | undefined;
  pipExtraIndexes: readonly string[];
  /** Go module proxies, in order. */
  goProxies: readonly string[];
  /** PEM certificates that the clients trust, or undefined for the image's own. */
  caBundle: Buffer | undefined;
  /** Settings of the host that a build cannot use, one sentence each. Values never show. */
  notices: readonly string[];
}

/** What was configured for assay itself, and what the host's clients need to run. */
export interface RegistrySources {
  npmRegistry: string | undefined;
  pipIndex: string | undefined;
  goProxy: string | undefined;
  /** Path of a PEM file. */
  caBundle: string | undefined;
  childEnv: Readonly<Record<string, string | undefined>>;
}

const CLIENT_DEADLINE_MS = 20_000;

/** Gives the settings; the host's clients are asked once, at the first call that succeeds. */
export function makeRegistrySettings(
  sources: RegistrySources,
): (signal: AbortSignal) => Promise<RegistrySettings> {
  let known: RegistrySettings | undefined;
  return async (signal) => {
    known ??= await readRegistrySettings(sources, signal);
    return known;
  };
}

/**
 * What assay is configured to use, else what the host's own npm, pip and GOPROXY are set to, read now and written nowhere.
 * A client that is not installed leaves its part undefined. Credentials are never taken over: what a build can
 * read, a candidate can read. Throws the signal's reason, or an error of the file system for a CA file.
 */
export async function readRegistrySettings(
  sources: RegistrySources,
  signal: AbortSignal,
): Promise<RegistrySettings> {
  const [npmRegistry, npmCa, pip] = await Promise.all([
    sources.npmRegistry ?? askNpm('registry', sources.childEnv, signal),
    sources.caBundle ?? askNpm('cafile', sources.childEnv, signal),
    askPip(sources.childEnv, signal),
  ]);
  const notices: string[] = [];
  const caFile = npmCa ?? pip.get('cert');
  const goProxy = sources.goProxy ?? sources.childEnv['GOPROXY'] ?? '';
  const goProxies = goProxy.split(/[,|]/).filter((url) => !['', 'direct', 'off'].includes(url));
  const extra = (pip.get('extra-index-url') ?? '').split(/\s+/).filter((url) => url !== '');
  return {
    npmRegistry: toPublicUrl('the npm registry', npmRegistry, notices),
    pipIndex: toPublicUrl('the pip index', sources.pipIndex ?? pip.get('index-url'), notices),
    pipExtraIndexes: extra.flatMap((url) => toPublicUrl('an extra pip index', url, notices) ?? []),
    goProxies: goProxies.flatMap((url) => toPublicUrl('a Go module proxy', url, notices) ?? []),
    caBundle: caFile === undefined ? undefined : await readFile(caFile, { signal }),
    notices,
  };
}

/** Digest of the settings for build keys, hex. */
export function registrySettingsDigest(settings: RegistrySettings): string {
  const { npmRegistry, pipIndex, pipExtraIndexes, goProxies } = settings;
  // Not the certificates: they change the way to the packages, and not the packages.
  return createHash('sha256')
    .update(JSON.stringify([npmRegistry ?? null, pipIndex ?? null, pipExtraIndexes, goProxies]))
    .digest('hex');
}

/** Takes credentials off; a URL that a container cannot reach is left out. Both leave a notice. */
function toPublicUrl(what: string, text: string | undefined, notices: string[]): string | undefined {
  if (text === undefined) {
    return undefined;
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    notices.push(`${what} of this host is no http address and is not used in builds.`);
    return undefined;
  }
  if (url.username !== '' || url.password !== '') {
    notices.push(`${what} of this host has credentials, which builds do without.`);
    url.username = '';
    url.password = '';
  }
  return url.href;
}

async function askNpm(
  key: string,
  env: RegistrySources['childEnv'],
  signal: AbortSignal,
): Promise<string | undefined> {
  const value = (await runClient('npm', ['config', 'get', key], env, signal)).trim();
  return value === '' || value === 'null' || value === 'undefined' ? undefined : value;
}

/** Settings of pip by their short name; the environment wins over files, as in pip. */
async function askPip(env: RegistrySources['childEnv'], signal: AbortSignal): Promise<Map<string, string>> {
  const text = await runClient('python3', ['-m', 'pip', 'config', 'list'], env, signal);
  const settings = new Map<string, string>();
  for (const section of ['global', 'install', ':env:']) {
    for (const line of text.split('\n')) {
      const match = /^([^.=]+)\.([\w-]+)='(.*)'$/.exec(line.trim());
      if (match?.[1] === section && match[2] !== undefined) {
        settings.set(match[2], (match[3] ?? '').replaceAll(String.raw`\n`, ' ').trim());
      }
    }
  }
  return settings;
}

async function runClient(
  program: string,
  args: readonly string[],
  env: RegistrySources['childEnv'],
  signal: AbortSignal,
): Promise<string> {
  try {
    const options = { env, signal, timeout: CLIENT_DEADLINE_MS, cwd: '/' };
    return (await promisify(execFile)(program, [...args], options)).stdout;
  } catch {
    signal.throwIfAborted();
    return '';
  }
}
