import { RuntimeNameSchema, type RuntimeName } from '../domain/challenge.ts';
import { IntakeError } from '../domain/errors.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import { readStatedCommands, type StatedCommands } from './assay-file.ts';
import {
  GO_MANIFEST,
  NODE_MANIFEST,
  openProject,
  type Project,
  type ProjectPlan,
  PYTHON_MANIFESTS,
  baseName,
} from './project.ts';
import { planGo } from './start-plan-go.ts';
import { planNode } from './start-plan-node.ts';
import { planPython } from './start-plan-python.ts';

const PLANNERS: Readonly<Record<RuntimeName, Planner>> = { node: planNode, python: planPython, go: planGo };
const MANIFESTS: Readonly<Record<RuntimeName, readonly string[]>> = {
  node: [NODE_MANIFEST],
  python: PYTHON_MANIFESTS,
  go: [GO_MANIFEST],
};
const SCRIPT_FILES: Readonly<Record<RuntimeName, readonly string[]>> = {
  node: ['server.js', 'index.js'],
  python: ['app.py', 'main.py'],
  // A Go program without go.mod is none that could be built.
  go: [],
};
const PROGRAMS: Readonly<Record<RuntimeName, RegExp>> = {
  node: /^(node|npm|npx|tsx)$/,
  python: /^(python3?|gunicorn|uvicorn|flask|fastapi|hypercorn)$/,
  go: /^go$/,
};

type Planner = (project: Project, stated: StatedCommands | undefined) => ProjectPlan;

/**
 * Finds how a submission is built and started, by the rules of design: assay.yaml, Procfile, then the runtime's own.
 * Throws IntakeError `NO_PROJECT`, `NO_START_COMMAND`, `RUNTIME_AMBIGUOUS`, `RUNTIME_NOT_ALLOWED`,
 * `MANIFEST_INVALID` or `DEPENDENCY_SOURCE`, each with its mend.
 */
export function decideStartPlan(
  submission: Pick<CanonicalSubmission, 'tar'>,
  allowed: readonly RuntimeName[],
): ProjectPlan {
  const project = openProject(submission);
  const stated = readStatedCommands(project);
  const runtime = decideRuntime(project, stated, allowed);
  if (!allowed.includes(runtime)) {
    throw new IntakeError(
      'RUNTIME_NOT_ALLOWED',
      `This looks like a ${runtime} project; the challenge takes ${allowed.join(', ')}.`,
      { mend: `Hand in a service for ${allowed.join(' or ')}.` },
    );
  }
  return PLANNERS[runtime](project, stated);
}

function decideRuntime(
  project: Project,
  stated: StatedCommands | undefined,
  allowed: readonly RuntimeName[],
): RuntimeName {
  if (stated?.runtime) {
    return stated.runtime;
  }
  const byManifest = runtimesWith(project, MANIFESTS);
  const candidates = byManifest.length > 0 ? byManifest : runtimesWith(project, SCRIPT_FILES);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) {
    return only;
  }
  const byProgram = stated && runtimeOfCommand(stated.start);
  if (byProgram) {
    return byProgram;
  }
  if (candidates.length === 0) {
    throw noProject(project);
  }
  const possible = candidates.filter((runtime) => allowed.includes(runtime));
  const [one] = possible;
  if (one !== undefined && possible.length === 1) {
    return one;
  }
  throw new IntakeError('RUNTIME_AMBIGUOUS', `The project could be run by ${candidates.join(' and by ')}.`, {
    mend: `Add a file assay.yaml beside the manifests, with "runtime: ${candidates.join('" or "runtime: ')}" and "start: …".`,
  });
}

function runtimesWith(
  project: Project,
  files: Readonly<Record<RuntimeName, readonly string[]>>,
): RuntimeName[] {
  return RuntimeNameSchema.options.filter((runtime) =>
    files[runtime].some((path) => project.files.has(path)),
  );
}

/** The runtime that the words of a command name: the first program of ours in it, past "env", "sh -c" and "exec". */
function runtimeOfCommand(argv: readonly string[]): RuntimeName | undefined {
  const words = argv.flatMap((word) => word.split(/[\s;&|]+/)).map(baseName);
  for (const word of words) {
    const runtime = RuntimeNameSchema.options.find((name) => PROGRAMS[name].test(word));
    if (runtime) {
      return runtime;
    }
  }
  return undefined;
}

function noProject(project: Project): IntakeError {
  const manifests = new Set<string>(Object.values(MANIFESTS).flat());
  const deeper = [...project.files.keys()].find(
    (path) => manifests.has(baseName(path)) && !path.includes('node_modules/'),
  );
  const goes = [...project.files.keys()].some((path) => path.endsWith('.go'));
  return new IntakeError(
    'NO_PROJECT',
    'The top folder has no package.json, requirements.txt, pyproject.toml or go.mod, and no server.js, index.js, app.py or main.py.',
    {
      mend:
        deeper === undefined
          ? `Add the manifest of your project to the top folder${goes ? ': "go mod init" makes one' : ''}.`
          : `Pack the folder that holds ${baseName(deeper)} (${deeper}), so that it lies on top.`,
    },
  );
}
