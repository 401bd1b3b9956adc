import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { importCollection } from '../challenges/postman/import-collection.ts';
import { AssayError } from '../domain/errors.ts';
import { EXIT } from './exit-codes.ts';
import type { GradeIo } from './grade-command.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const IMPORT_USAGE = `assay import postman <collection.json> --out <suite.yaml>

  --out FILE        where the suite goes, such as hidden/api/orders.yaml; an existing file is not overwritten`;

/**
 * Makes a suite of a Postman collection, and lists what it does not carry over. Throws AssayError \`USAGE\`,
 * \`SPEC_INVALID\` for a file that is no collection, \`OUT_EXISTS\`.
 */
export async function runImport(args: string[], io: GradeIo): Promise<number> {
  const { kind, file, out } = readOptions(args);
  if (kind !== 'postman' || file === undefined || out === undefined) {
    throw usage('name a format (postman), one file, and --out');
  }
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw usage(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  const { yaml, tests, requests, notices } = importCollection(file, text);
  await mkdir(dirname(out), { recursive: true });
  await writeFile(out, yaml, { flag: 'wx' }).catch((error: unknown) => {
    throw new AssayError('OUT_EXISTS', 'spec', `${out} cannot be written`, {
      mend: 'name a file that does not exist yet',
      cause: error,
    });
  });
  io.stdout.write(`${out}: ${tests} tests from ${requests} requests\n`);
  if (notices.length > 0) {
    const lines = notices.map(({ place, message }) => `  ${place}: ${message}\n`);
    io.stdout.write(`Not carried over, or to be looked at (also at the top of the file):\n${lines.join('')}`);
  }
  return EXIT.passed;
}

function readOptions(args: string[]) {
  const { values, positionals } = readArguments(args, { out: { type: 'string' } }, IMPORT_USAGE);
  const [kind, file, ...more] = positionals;
  return { kind, file: more.length === 0 ? file : undefined, out: values.out };
}

function usage(message: string): AssayError {
  return usageError(message, IMPORT_USAGE);
}
