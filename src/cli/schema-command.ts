import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EDITOR_SCHEMA_NAMES, editorSchema } from '../challenges/editor-schemas.ts';
import { AssayError } from '../domain/errors.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';

/** Prints the JSON Schema of one kind of file. Throws AssayError `USAGE` for a name that is none. */
export function runSchema(args: string[], io: GradeIo): number {
  const [wanted, ...more] = args;
  const name = EDITOR_SCHEMA_NAMES.find((one) => one === wanted);
  if (name === undefined || more.length > 0) {
    const message = wanted === undefined ? 'name a schema' : `there is no schema "${args.join(' ')}"`;
    throw new AssayError('USAGE', 'spec', message, { mend: `use one of ${EDITOR_SCHEMA_NAMES.join(', ')}` });
  }
  io.stdout.write(schemaText(name));
  return EXIT.passed;
}

/** Writes all schemas to <home>/schemas, where the files of the shipped challenges look for them. */
export async function writeSchemas(home: string): Promise<void> {
  const folder = join(home, 'schemas');
  await mkdir(folder, { recursive: true });
  await Promise.all(
    EDITOR_SCHEMA_NAMES.map((name) => writeFile(join(folder, `${name}.json`), schemaText(name))),
  );
}

function schemaText(name: (typeof EDITOR_SCHEMA_NAMES)[number]): string {
  return `${JSON.stringify(editorSchema(name), null, 2)}\n`;
}
