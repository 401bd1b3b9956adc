import { parseDocument } from 'yaml';
import { z } from 'zod';
import { RuntimeNameSchema, type RuntimeName } from '../domain/challenge.ts';
import { type Project, manifestError, readManifest } from './project.ts';
import { webCommand } from './procfile.ts';
import { toArgv } from './shell-words.ts';

const CommandSchema = z.union(
  [z.string().trim().min(1), z.array(z.string().min(1)).min(1)],
  'expected a command line, or a list of words',
);
const AssayFileSchema = z.strictObject({
  runtime: RuntimeNameSchema.optional(),
  build: CommandSchema.optional(),
  start: CommandSchema,
});

/** What a candidate said in so many words. */
export interface StatedCommands {
  decidedBy: 'assay.yaml' | 'Procfile';
  runtime: RuntimeName | undefined;
  build: string[] | undefined;
  start: string[];
}

/**
 * The commands of assay.yaml, else of the Procfile's `web`; undefined when there is neither.
 * Throws IntakeError `MANIFEST_INVALID` that names the place.
 */
export function readStatedCommands(project: Project): StatedCommands | undefined {
  return readAssayFile(project) ?? readProcfile(project);
}

function readAssayFile(project: Project): StatedCommands | undefined {
  const text = readManifest(project, 'assay.yaml');
  if (text === undefined) {
    return undefined;
  }
  const parsed = AssayFileSchema.safeParse(parseYaml(text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const place = issue.path.join('.');
      return place === '' ? issue.message : `${place}: ${issue.message}`;
    });
    throw manifestError(
      'assay.yaml',
      `is wrong: ${problems.join('; ')}`,
      'It takes "start", and may take "build" and "runtime" (node, python or go).',
    );
  }
  const { runtime, build, start } = parsed.data;
  return {
    decidedBy: 'assay.yaml',
    runtime,
    build: build === undefined ? undefined : commandToArgv(build),
    start: commandToArgv(start),
  };
}

function parseYaml(text: string): unknown {
  const document = parseDocument(text, { logLevel: 'error', prettyErrors: true });
  const error = document.errors[0];
  if (error) {
    const line = error.linePos?.[0].line;
    const place = line === undefined ? '' : ` in line ${line}`;
    throw manifestError(
      'assay.yaml',
      `is no YAML${place} (${error.code})`,
      'Check its indentation and quotes.',
    );
  }
  try {
    return document.toJS({ maxAliasCount: 10 });
  } catch {
    throw manifestError('assay.yaml', 'repeats itself by aliases', 'Write it without aliases.');
  }
}

function commandToArgv(command: string | string[]): string[] {
  return typeof command === 'string' ? toArgv(command) : command;
}

function readProcfile(project: Project): StatedCommands | undefined {
  const text = readManifest(project, 'Procfile');
  const command = text === undefined ? undefined : webCommand(text);
  return command === undefined
    ? undefined
    : { decidedBy: 'Procfile', runtime: undefined, build: undefined, start: toArgv(command) };
}
