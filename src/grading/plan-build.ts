import { posix } from 'node:path';
import { IntakeError } from '../domain/errors.ts';
import type { BuildLimits } from '../domain/limits.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import type { BuildPlan, ImageId, RunIdentity } from '../sandbox/sandbox-engine.ts';
import { packTar, type TarEntry } from '../shared/tar-buffer.ts';
import { buildKey } from './build-key.ts';
import { openProject, type ProjectPlan } from './project.ts';

/** Where a submission lies in its image, and where it is built and started. */
const APP_FOLDER = '/app';
/** Part of every key: raised when the same inputs would now give another image. */
const FORMAT = 'build 1';

export interface BuildRequest {
  submission: Pick<CanonicalSubmission, 'tar'>;
  plan: ProjectPlan;
  /** The runtime's own image. */
  from: ImageId;
  /** What the challenge lets the dependency step reach. */
  network: 'none' | 'registries';
  /** Digest of the registry settings; results of one registry are not taken for those of another. */
  registries: string;
  limits: BuildLimits;
  /** Whose cache it is. */
  scope: string;
  run: RunIdentity;
  onLog?: (chunk: string) => void;
}

/** The steps of a build, in order. `submission` takes the image that the dependency step gave, else `from`. */
export interface PlannedBuild {
  dependencies: BuildPlan | null;
  submission: (from: ImageId) => BuildPlan;
}

/**
 * Plans the one or two steps that make a submission's image. The dependency step sees manifests and lockfiles only;
 * the second adds all files and runs the build command, without a network. Pure.
 * Throws IntakeError `DEPENDENCIES_NEED_NETWORK` when npm packages are wanted and the challenge gives no network.
 */
export function planBuild(request: BuildRequest): PlannedBuild {
  const project = openProject(request.submission);
  const dependencies = planDependencies(request, project.entries);
  const base = dependencies?.key ?? buildKey([FORMAT, request.from]);
  const files = packTar(
    dependencies ? project.entries.filter((entry) => !isInstalled(entry.path)) : project.entries,
  );
  const command = request.plan.build;
  return {
    dependencies,
    submission: (from) => ({
      ...commonOf(request),
      key: buildKey([FORMAT, 'submission', base, files, JSON.stringify(command)]),
      kind: 'submission',
      from,
      files,
      command,
      env: {
        CI: 'true',
        NPM_CONFIG_OFFLINE: 'true',
        NPM_CONFIG_UPDATE_NOTIFIER: 'false',
        ...GO_ENV,
        GOPROXY: 'off',
      },
      network: 'none',
    }),
  };
}

function planDependencies(request: BuildRequest, entries: readonly TarEntry[]): BuildPlan | null {
  const { plan } = request;
  if (plan.install === null) {
    return null;
  }
  if (plan.runtime !== 'python' && request.network === 'none') {
    const [what, where] =
      plan.runtime === 'node' ? ['npm packages', 'node_modules'] : ['Go modules', 'vendor/'];
    throw new IntakeError(
      'DEPENDENCIES_NEED_NETWORK',
      `This challenge builds without a network, and ${what} are missing.`,
      {
        mend: `Hand in ${where} with your files, or do without.`,
      },
    );
  }
  const files = packTar(withFolders(entries, plan.manifests));
  const settings = request.network === 'none' ? 'no network' : request.registries;
  return {
    ...commonOf(request),
    key: buildKey([FORMAT, 'dependencies', request.from, settings, files, JSON.stringify(plan.install)]),
    kind: 'dependencies',
    from: request.from,
    files,
    command: plan.install,
    env: { node: NPM_ENV, python: pipEnv(request.network), go: GO_ENV }[plan.runtime],
    network: request.network,
  };
}

/** Modules lie beside the sources, so that they stay for the build; there is no version control to ask. */
const GO_ENV: Readonly<Record<string, string>> = {
  GOMODCACHE: '/app/.assay/modules',
  GOFLAGS: '-trimpath -modcacherw',
};

/** npm may fetch from the configured registry, whatever host a lockfile names, and from nowhere else. */
const NPM_ENV: Readonly<Record<string, string>> = {
  NPM_CONFIG_REPLACE_REGISTRY_HOST: 'always',
  NPM_CONFIG_ALLOW_GIT: 'none',
  NPM_CONFIG_ALLOW_REMOTE: 'none',
  NPM_CONFIG_ALLOW_FILE: 'none',
  NPM_CONFIG_ALLOW_DIRECTORY: 'none',
  NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  NPM_CONFIG_FETCH_RETRIES: '2',
  NPM_CONFIG_FETCH_RETRY_MINTIMEOUT: '1000',
  NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT: '5000',
  NPM_CONFIG_FETCH_TIMEOUT: '60000',
};

function pipEnv(network: 'none' | 'registries'): Record<string, string> {
  return { PIP_RETRIES: '2', PIP_TIMEOUT: '20', ...(network === 'none' ? { PIP_NO_INDEX: '1' } : {}) };
}

function commonOf(request: BuildRequest): Pick<BuildPlan, 'scope' | 'into' | 'limits' | 'run' | 'onLog'> {
  const { scope, limits, run, onLog } = request;
  return { scope, into: APP_FOLDER, limits, run, ...(onLog ? { onLog } : {}) };
}

/** What the dependency step made and the sources must not replace. */
function isInstalled(path: string): boolean {
  return /^(?:node_modules|\.python|\.assay)(?:\/|$)/.test(path);
}

function withFolders(entries: readonly TarEntry[], paths: readonly string[]): TarEntry[] {
  const wanted = new Set(paths);
  for (const path of paths) {
    for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
      wanted.add(folder);
    }
  }
  return entries.filter((entry) => wanted.has(entry.path));
}
