import { parseArgs } from 'node:util';
import type { ParseArgsConfig } from 'node:util';
import { AssayError } from '../domain/errors.ts';

/** Reads the words of a command line. Throws AssayError `USAGE` with the command's `usage` text. */
export function readArguments<O extends NonNullable<ParseArgsConfig['options']>>(
  args: string[],
  options: O,
  usage: string,
) {
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw usageError(error instanceof Error ? error.message : String(error), usage);
  }
}

/** A command line that cannot be obeyed, with how it should look. */
export function usageError(message: string, usage: string): AssayError {
  return new AssayError('USAGE', 'spec', message, { mend: `\n\n${usage}` });
}
