import { IntakeError } from '../domain/errors.ts';
import type { StatedCommands } from './assay-file.ts';
import {
  GO_MANIFEST,
  type Project,
  type ProjectPlan,
  baseName,
  manifestError,
  readManifest,
} from './project.ts';

/** Where the binary goes when the candidate names no place. */
const BINARY = '.assay/service';
/** The compiler behind a script of the image, which keeps its cache out of what is kept. */
const BUILD = 'build-go';
/**
 * From proxies alone: without one, modules would come from whatever host their names say. "direct" is that way.
 */
const DOWNLOAD = 'GOPROXY="$(go env GOPROXY | sed "s/[,|]direct//g")" GOVCS="*:off" exec go mod download';
/** What may stand before the package clause: space and comments, one at a time. */
const SPACE_OR_COMMENT = /\s+|\/\/[^\n]*|\/\*.*?\*\//sy;
const IGNORED = /^\/\/go:build\s+ignore\s*$/;

/** The plan of a Go project: modules, "go build", the binary. Throws as `decideStartPlan`. */
export function planGo(project: Project, stated: StatedCommands | undefined): ProjectPlan {
  const vendored = project.files.has('vendor/modules.txt');
  const fetches = requiresModules(project) && !vendored;
  const built = stated ? buildStated(project, stated) : buildFound(project);
  return {
    runtime: 'go',
    root: project.root,
    // Those of the project's own further modules too: the top one may name them by their folders.
    manifests: fetches
      ? [...project.files.keys()].filter((path) => /^go\.(?:mod|sum)$/.test(baseName(path)))
      : [],
    install: fetches ? ['sh', '-c', DOWNLOAD] : null,
    notices: vendored ? ['Modules are taken from the folder "vendor" that was handed in.'] : [],
    ...built,
  };
}

/** Commands of assay.yaml or the Procfile. What "go run" would build at each start is built once. */
function buildStated(
  project: Project,
  { decidedBy, build, start }: StatedCommands,
): Pick<ProjectPlan, 'decidedBy' | 'build' | 'start'> {
  const [program = '', verb = '', target = '.', ...rest] = start;
  if (baseName(program) === 'go' && verb === 'run') {
    return {
      decidedBy: `${decidedBy}; "go run" is built once and then started`,
      build: build ?? [BUILD, '-o', BINARY, target],
      start: [`/app/${BINARY}`, ...rest],
    };
  }
  const output = program.replace(/^\.\//, '').replace(/^\/app\//, '');
  const isOwn = program.includes('/') && !output.startsWith('/') && !project.files.has(output);
  const own = build ?? (isOwn ? [BUILD, '-o', output, mainPackage(project).path] : null);
  return { decidedBy, build: own, start };
}

function buildFound(project: Project): Pick<ProjectPlan, 'decidedBy' | 'build' | 'start'> {
  const { path, file } = mainPackage(project);
  return { decidedBy: file, build: [BUILD, '-o', BINARY, path], start: [`/app/${BINARY}`] };
}

/** The one main package: in the top folder, else the only one under cmd/. */
function mainPackage(project: Project): { path: string; file: string } {
  const folders = new Map<string, string>();
  for (const [file, content] of project.files) {
    const folder = /^(?:(cmd\/[^/]+)\/)?[^/]+\.go$/.exec(file);
    if (folder && !file.endsWith('_test.go') && isOfMain(content.toString('utf8'))) {
      const path = folder[1] === undefined ? '.' : `./${folder[1]}`;
      folders.set(path, folders.get(path) ?? file);
    }
  }
  const found = folders.has('.') ? ['.'] : [...folders.keys()];
  const [path] = found;
  if (path === undefined || found.length > 1) {
    const what =
      path === undefined
        ? 'There is no Go file with "package main" in the top folder or in a folder of cmd/.'
        : `There are ${found.length} main packages: ${found.join(', ')}.`;
    throw new IntakeError('NO_START_COMMAND', what, {
      mend: 'Put main.go into the top folder, or add an assay.yaml with "build: go build -o bin/service ./cmd/service" and "start: bin/service".',
    });
  }
  return { path, file: folders.get(path) ?? path };
}

/** Whether a build takes this file for a part of package main: its clause says so, and no constraint leaves it out. */
function isOfMain(source: string): boolean {
  const text = source.replace(/^\ufeff/, '');
  let at = 0;
  for (;;) {
    SPACE_OR_COMMENT.lastIndex = at;
    const [skipped] = SPACE_OR_COMMENT.exec(text) ?? [];
    if (skipped === undefined) {
      return /^package\s+main\b/.test(text.slice(at, at + 200));
    }
    if (IGNORED.test(skipped)) {
      return false;
    }
    at += skipped.length;
  }
}

function requiresModules(project: Project): boolean {
  const text = readManifest(project, GO_MANIFEST);
  if (text === undefined) {
    throw manifestError(GO_MANIFEST, 'is missing', 'Run "go mod init" and hand in the file it makes.');
  }
  if (!/^\s*module\s+\S/m.test(text)) {
    throw manifestError(GO_MANIFEST, 'has no "module" line', 'Run "go mod init" to make one.');
  }
  const replaced = /^\s*(?:replace\s+)?\S+(?:\s+v\S+)?\s+=>\s+(?:\/|\.\.\/)\S*/m.exec(text)?.[0];
  if (replaced !== undefined) {
    throw manifestError(
      GO_MANIFEST,
      `replaces a module by a folder outside the project ("${replaced.trim()}")`,
      'Hand in that folder too and name it from the top folder, as "./…".',
    );
  }
  return /^\s*require\s*(?:\(\s*(?:\/\/[^\n]*)?\n\s*[^\s)]|[^\s(])/m.test(text);
}
