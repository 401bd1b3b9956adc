import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { AssayError, InfraError } from '../domain/errors.ts';
import type { GraderLimits } from '../domain/limits.ts';
import { DurationMs, SizeBytes } from '../domain/units.ts';

/** How a grader is started: which image of ours, what command in it, within what. */
export interface Grader {
  name: string;
  /** Name of the image, docker/<image>/. */
  image: string;
  command: readonly string[];
  limits: GraderLimits;
}

const GraderFileSchema = z.strictObject({
  image: z.string().regex(/^[a-z][a-z0-9-]*$/, 'expected the name of a folder of docker/'),
  command: z.array(z.string().min(1)).min(1),
  resources: z.strictObject({
    cpus: z.number().positive(),
    memory: SizeBytes,
    pids: z.number().int().positive(),
    files: z.number().int().positive(),
  }),
  deadline: DurationMs,
});

const GRADER_NAME = /^[a-z][a-z0-9-]*$/;

/**
 * Reads graders/<name>/grader.yaml below `root`.
 * Throws AssayError `GRADER_NOT_INSTALLED` (the spec's fault: it names a stage nobody can grade) and InfraError
 * `GRADER_INVALID` (ours) that names file and field.
 */
export async function loadGrader(root: string, name: string): Promise<Grader> {
  const text = GRADER_NAME.test(name) ? await readGraderFile(root, name) : undefined;
  if (text === undefined) {
    throw new AssayError('GRADER_NOT_INSTALLED', 'spec', `there is no grader "${name}"`, {
      mend: `use one of the installed graders: ${(await listGraders(root)).join(', ') || 'none is installed'}`,
    });
  }
  const { image, command, resources, deadline } = parseGraderFile(`graders/${name}/grader.yaml`, text);
  return {
    name,
    image,
    command,
    limits: {
      cpus: resources.cpus,
      memoryBytes: resources.memory,
      pids: resources.pids,
      files: resources.files,
      wallMs: deadline,
    },
  };
}

/** Names of the installed graders, sorted: the folders of graders/ that hold a grader.yaml. */
export async function listGraders(root: string): Promise<string[]> {
  const entries = await readdir(join(root, 'graders'), { withFileTypes: true }).catch(() => []);
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const installed = await Promise.all(
    folders.map(async (name) => ((await readGraderFile(root, name)) === undefined ? [] : [name])),
  );
  return installed.flat().toSorted();
}

async function readGraderFile(root: string, name: string): Promise<string | undefined> {
  return readFile(join(root, 'graders', name, 'grader.yaml'), 'utf8').catch(() => undefined);
}

function parseGraderFile(file: string, text: string): z.infer<typeof GraderFileSchema> {
  const parsed = GraderFileSchema.safeParse(parseYaml(file, text));
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      (issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`,
    );
    throw new InfraError('GRADER_INVALID', `${file} is wrong: ${problems.join('; ')}`);
  }
  return parsed.data;
}

function parseYaml(file: string, text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new InfraError(
      'GRADER_INVALID',
      `${file} is not YAML: ${error instanceof Error ? error.message : ''}`,
    );
  }
}
