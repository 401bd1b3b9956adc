import { IntakeError } from '../domain/errors.ts';
import type { CanonicalSubmission, StartPlan } from '../domain/submission.ts';
import { readTar, type TarEntry } from '../shared/tar-buffer.ts';

/** Files that make a folder a project. */
export const NODE_MANIFEST = 'package.json';
export const PYTHON_MANIFESTS = ['requirements.txt', 'pyproject.toml'] as const;
export const GO_MANIFEST = 'go.mod';
const PROJECT_FILES: ReadonlySet<string> = new Set([
  NODE_MANIFEST,
  ...PYTHON_MANIFESTS,
  GO_MANIFEST,
  'assay.yaml',
  'Procfile',
]);
/** Settings of package clients name registries and run hooks; a build uses the host's settings and no others. */
const CLIENT_SETTINGS: ReadonlySet<string> = new Set(['.npmrc', 'pip.conf', '.pypirc']);
const MANIFEST_BYTES = 8 * 1024 ** 2;

/** A submission seen from the folder that holds its manifest. */
export interface Project {
  /** "" or the one top-level folder, which is taken off every path. */
  root: string;
  entries: readonly TarEntry[];
  files: ReadonlyMap<string, Buffer>;
}

/** A start plan with what the build and the report need besides. */
export interface ProjectPlan extends StartPlan {
  /** "" or the one top-level folder of the archive that holds everything. */
  root: string;
  /** What a candidate should know about the way their work is built, one sentence each. */
  notices: string[];
}

/**
 * Opens a submission. Where everything lies in one top-level folder, and no manifest beside it, that folder is the
 * project: an archive of a folder is as good as an archive of its content.
 */
export function openProject(submission: Pick<CanonicalSubmission, 'tar'>): Project {
  const all = readTar(submission.tar).filter((entry) => !CLIENT_SETTINGS.has(baseName(entry.path)));
  const root = findRoot(all);
  const entries = root === '' ? all : all.flatMap((entry) => withoutRoot(entry, root));
  const files = new Map(
    entries.filter((entry) => entry.type === 'file').map((entry) => [entry.path, entry.content]),
  );
  return { root, entries, files };
}

/**
 * A manifest's text, or undefined when the project has none. Throws IntakeError `MANIFEST_INVALID` when it is
 * too large or no UTF-8: both clients read other encodings too, and would then see another text than we checked.
 */
export function readManifest(project: Project, path: string): string | undefined {
  const content = project.files.get(path);
  if (content === undefined) {
    return undefined;
  }
  if (content.length > MANIFEST_BYTES) {
    throw manifestError(path, `is larger than ${MANIFEST_BYTES / 1024 ** 2} MiB`, 'Hand in a smaller one.');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(content);
  } catch {
    throw manifestError(path, 'is not UTF-8 text', 'Save it as UTF-8.');
  }
}

/** The IntakeError `MANIFEST_INVALID` for one file; `what` completes "<path> …". */
export function manifestError(path: string, what: string, mend: string): IntakeError {
  return new IntakeError('MANIFEST_INVALID', `${path} ${what}.`, { mend });
}

/** The last segment of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function findRoot(entries: readonly TarEntry[]): string {
  const tops = new Set(entries.map((entry) => entry.path.split('/')[0] ?? ''));
  const [top] = tops;
  const isFolder = entries.some((entry) => entry.path.startsWith(`${top}/`));
  return tops.size === 1 && top !== undefined && isFolder && !PROJECT_FILES.has(top) ? top : '';
}

function withoutRoot(entry: TarEntry, root: string): TarEntry[] {
  return entry.path === root ? [] : [{ ...entry, path: entry.path.slice(root.length + 1) }];
}
