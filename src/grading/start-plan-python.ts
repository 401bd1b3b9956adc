import { parse as parseToml } from 'smol-toml';
import { z } from 'zod';
import { IntakeError } from '../domain/errors.ts';
import type { StatedCommands } from './assay-file.ts';
import { checkRequirement, readRequirements } from './pip-sources.ts';
import { manifestError, type Project, type ProjectPlan, readManifest } from './project.ts';

const WHEEL_FOLDERS = ['wheels', 'vendor'];
const FOREIGN_LOCKFILES = ['poetry.lock', 'Pipfile.lock', 'uv.lock'];

/**
 * What the image's own packages satisfy needs no index, so the index is asked only where they do not. Nothing but
 * wheels: building a source package would run its code while the network is there. Debian marks its Python as
 * managed; a user installation beside it changes nothing of Debian's.
 */
const PIP = [
  'python3 -m pip install --user --break-system-packages --only-binary=:all:',
  '--no-warn-script-location --disable-pip-version-check --no-cache-dir --progress-bar off',
].join(' ');
const INSTALL = `${PIP} --no-index "$@" > /tmp/offline.log 2>&1 && cat /tmp/offline.log || exec ${PIP} "$@"`;

const PyprojectSchema = z.looseObject({
  project: z.looseObject({ dependencies: z.array(z.string()).optional() }).optional(),
});

/** The plan of a python project. Throws as `decideStartPlan`. */
export function planPython(project: Project, stated: StatedCommands | undefined): ProjectPlan {
  const start = stated ? { decidedBy: stated.decidedBy, argv: stated.start } : findPythonStart(project);
  const install = planInstall(project);
  return {
    runtime: 'python',
    decidedBy: start.decidedBy,
    root: project.root,
    manifests: install?.manifests ?? [],
    install: install ? ['sh', '-c', INSTALL, 'install', ...install.arguments] : null,
    build: stated?.build ?? null,
    start: start.argv,
    notices: install?.notices ?? [],
  };
}

function findPythonStart(project: Project): { decidedBy: string; argv: string[] } {
  const file = ['app.py', 'main.py'].find((path) => project.files.has(path));
  if (file === undefined) {
    throw new IntakeError('NO_START_COMMAND', 'There is no app.py and no main.py in the top folder.', {
      mend: 'Name the entry file app.py, or add an assay.yaml with "start: python3 your_file.py".',
    });
  }
  return startOfModule(file, project.files.get(file)?.toString('utf8') ?? '');
}

/**
 * A file with a `__main__` block starts itself. One that only defines an application object gets the server that
 * its framework's documentation uses, with one process.
 */
function startOfModule(file: string, source: string): { decidedBy: string; argv: string[] } {
  const module = file.replace(/\.py$/, '');
  if (!/^if\s+__name__\s*==\s*['"]__main__['"]/m.test(source)) {
    const asgi = /^(\w+)\s*(?::[^=\n]*)?=\s*(?:\w+\.)?(?:FastAPI|Starlette)\(/m.exec(source)?.[1];
    if (asgi) {
      return {
        decidedBy: `${file} defines an ASGI application "${asgi}": uvicorn`,
        argv: ['sh', '-c', `exec python3 -m uvicorn ${module}:${asgi} --host 0.0.0.0 --port "$PORT"`],
      };
    }
    const wsgi = /^(\w+)\s*(?::[^=\n]*)?=\s*(?:\w+\.)?Flask\(/m.exec(source)?.[1];
    if (wsgi) {
      return {
        decidedBy: `${file} defines a WSGI application "${wsgi}": gunicorn, 1 process, 8 threads`,
        argv: ['sh', '-c', `exec python3 -m gunicorn --threads 8 --bind "0.0.0.0:$PORT" ${module}:${wsgi}`],
      };
    }
  }
  return { decidedBy: file, argv: ['python3', file] };
}

interface Install {
  manifests: string[];
  arguments: string[];
  notices: string[];
}

function planInstall(project: Project): Install | undefined {
  const wanted = project.files.has('requirements.txt') ? fromRequirements(project) : fromPyproject(project);
  if (wanted === undefined) {
    return undefined;
  }
  const folder = WHEEL_FOLDERS.find((name) => wheelsIn(project, name).length > 0);
  return folder === undefined
    ? wanted
    : {
        manifests: [...wanted.manifests, ...wheelsIn(project, folder)],
        arguments: ['--no-index', '--find-links', folder, ...wanted.arguments],
        notices: [
          ...wanted.notices,
          `Packages are installed from the folder "${folder}" that was handed in.`,
        ],
      };
}

function wheelsIn(project: Project, folder: string): string[] {
  return [...project.files.keys()].filter((path) => path.startsWith(`${folder}/`) && path.endsWith('.whl'));
}

function fromRequirements(project: Project): Install | undefined {
  const { files, count } = readRequirements(project, 'requirements.txt');
  return count === 0
    ? undefined
    : { manifests: files, arguments: ['-r', 'requirements.txt'], notices: foreignLockNotices(project) };
}

function fromPyproject(project: Project): Install | undefined {
  const text = readManifest(project, 'pyproject.toml');
  if (text === undefined) {
    return undefined;
  }
  const dependencies = pyprojectDependencies(text);
  for (const [index, requirement] of dependencies.entries()) {
    checkRequirement(`pyproject.toml: project.dependencies[${index}]`, requirement);
  }
  return dependencies.length === 0
    ? undefined
    : { manifests: ['pyproject.toml'], arguments: dependencies, notices: foreignLockNotices(project) };
}

function pyprojectDependencies(text: string): string[] {
  let value: unknown;
  try {
    value = parseToml(text);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : '';
    throw manifestError('pyproject.toml', `is no valid TOML: ${reason}`, 'Correct that line.');
  }
  const parsed = PyprojectSchema.safeParse(value);
  if (!parsed.success) {
    throw manifestError(
      'pyproject.toml',
      'has "project.dependencies" that is no list of strings',
      'See PEP 621.',
    );
  }
  const { project } = parsed.data;
  if (project === undefined && /^\[tool\.poetry\.dependencies\]/m.test(text)) {
    throw manifestError(
      'pyproject.toml',
      'lists its packages only under [tool.poetry.dependencies], which is not read',
      'Add a requirements.txt, or list them under [project] dependencies.',
    );
  }
  return project?.dependencies ?? [];
}

function foreignLockNotices(project: Project): string[] {
  const foreign = FOREIGN_LOCKFILES.find((path) => project.files.has(path));
  return foreign ? [`${foreign} is not read: pin versions in requirements.txt to get exactly these.`] : [];
}
