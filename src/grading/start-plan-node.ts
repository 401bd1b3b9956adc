import { IntakeError } from '../domain/errors.ts';
import type { StatedCommands } from './assay-file.ts';
import { checkLockSources, checkPackageSources } from './npm-sources.ts';
import { type PackageJson, readJsonManifest, readPackageJson } from './package-json.ts';
import { NODE_MANIFEST, type Project, type ProjectPlan, baseName } from './project.ts';
import { commandOfScript } from './npm-script.ts';

/** npm reads the first of them that exists. */
const LOCKFILES = ['npm-shrinkwrap.json', 'package-lock.json'];
const FOREIGN_LOCKFILES = ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb'];
/** Install scripts were not run while the network was there; run them now, without it. */
const REBUILD = 'npm rebuild --foreground-scripts';
const REBUILD_IF_NEEDED = `if grep -qs '"hasInstallScript": true' node_modules/.package-lock.json; then ${REBUILD}; fi`;

const VENDORED_NOTICE = 'node_modules was handed in and is used as it is; nothing is installed.';

/** The plan of a node project. Throws as `decideStartPlan`. */
export function planNode(project: Project, stated: StatedCommands | undefined): ProjectPlan {
  const manifest = readPackageJson(project) ?? {};
  const start = stated
    ? { decidedBy: stated.decidedBy, argv: stated.start }
    : findNodeStart(project, manifest);
  const buildScripts = stated?.build ? [] : buildScriptsOf(manifest.scripts ?? {});
  const builds = stated?.build !== undefined || buildScripts.length > 0;
  const install = installOf(project, manifest, builds || !isPlainNode(start.argv));
  const steps = [install.rebuild, ...buildScripts.map((name) => `npm run ${name}`)];
  return {
    runtime: 'node',
    decidedBy: start.decidedBy,
    root: project.root,
    manifests: install.manifests,
    install: install.argv,
    build: composeBuild(
      steps.filter((step) => step !== undefined),
      stated?.build,
    ),
    start: start.argv,
    notices: install.notices,
  };
}

function findNodeStart(project: Project, manifest: PackageJson): { decidedBy: string; argv: string[] } {
  const script = manifest.scripts?.['start'];
  if (script?.trim()) {
    return {
      decidedBy: 'package.json scripts.start',
      argv: commandOfScript('start', manifest.scripts ?? {}),
    };
  }
  const main = manifest.main?.replace(/^\.\//, '');
  const candidates: [decidedBy: string, path: string][] = [
    ...(main
      ? [main, `${main}.js`, `${main}/index.js`].map((path): [string, string] => ['package.json main', path])
      : []),
    ['server.js', 'server.js'],
    ['index.js', 'index.js'],
  ];
  const found = candidates.find(([, path]) => project.files.has(path));
  if (!found) {
    throw new IntakeError(
      'NO_START_COMMAND',
      'package.json has no start script, and no entry file was found.',
      {
        mend: 'Add "scripts": { "start": "node server.js" } to package.json, or an assay.yaml with "start: …".',
      },
    );
  }
  return { decidedBy: found[0], argv: ['node', found[1]] };
}

/**
 * Scripts that npm would have run before the start: the root directory is read-only by then, so they run in the
 * build. `prestart` is left out where it only repeats the build.
 */
function buildScriptsOf(scripts: Readonly<Record<string, string>>): string[] {
  const names = ['postinstall', 'build', 'prestart'].filter((name) => scripts[name]?.trim());
  const repeats = /^(?:npm|yarn|pnpm) (?:run )?build$/.test(scripts['prestart']?.trim() ?? '');
  return names.filter((name) => name !== 'prestart' || !(repeats && names.includes('build')));
}

/** "node file.js …" without a loader needs no tool of devDependencies; anything else might. */
function isPlainNode(argv: readonly string[]): boolean {
  const words = argv[0] === 'env' ? argv.slice(1).filter((word) => !/^\w+=/.test(word)) : argv;
  const usesLoader = words.some((word) =>
    /^(?:-r|--require|--import|--loader|--experimental-loader)\b/.test(word),
  );
  return words[0] === 'node' && !usesLoader && words.some((word) => /\.[cm]?js$/.test(word));
}

interface Install {
  manifests: string[];
  argv: string[] | null;
  rebuild: string | undefined;
  notices: string[];
}

function installOf(project: Project, manifest: PackageJson, needsDev: boolean): Install {
  const nothing: Install = { manifests: [], argv: null, rebuild: undefined, notices: [] };
  if ([...project.files.keys()].some((path) => path.startsWith('node_modules/'))) {
    return { ...nothing, notices: [VENDORED_NOTICE] };
  }
  checkPackageSources(NODE_MANIFEST, readJsonManifest(project, NODE_MANIFEST));
  const { dependencies, optionalDependencies, peerDependencies, devDependencies } = manifest;
  const fields = [
    dependencies,
    optionalDependencies,
    peerDependencies,
    ...(needsDev ? [devDependencies] : []),
  ];
  return fields.every((field) => Object.keys(field ?? {}).length === 0)
    ? nothing
    : planInstall(project, needsDev);
}

function planInstall(project: Project, needsDev: boolean): Install {
  const lockfile = LOCKFILES.find((path) => project.files.has(path));
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', ...(needsDev ? [] : ['--omit=dev'])];
  if (lockfile === undefined) {
    return {
      manifests: [NODE_MANIFEST],
      argv: ['npm', 'install', ...flags],
      rebuild: REBUILD_IF_NEEDED,
      notices: [floatingNotice(project)],
    };
  }
  const lock = readJsonManifest(project, lockfile);
  checkLockSources(lockfile, lock);
  return {
    manifests: [NODE_MANIFEST, lockfile],
    argv: ['npm', 'ci', ...flags],
    rebuild: JSON.stringify(lock).includes('"hasInstallScript":true') ? REBUILD : undefined,
    notices: [],
  };
}

function floatingNotice(project: Project): string {
  const foreign = FOREIGN_LOCKFILES.find((path) => project.files.has(path));
  const why = foreign ? `${baseName(foreign)} is not read` : 'There is no package-lock.json';
  return `${why}: versions of dependencies are chosen at build time; "npm install" writes a package-lock.json.`;
}

function composeBuild(steps: readonly string[], stated: string[] | undefined): string[] | null {
  if (steps.length === 0) {
    return stated ?? null;
  }
  const script = steps.join(' && ');
  // "$@" keeps the candidate's words as they are.
  return stated ? ['sh', '-ec', `${script} && exec "$@"`, 'build', ...stated] : ['sh', '-ec', script];
}
