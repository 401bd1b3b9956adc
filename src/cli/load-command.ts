import { writeFile } from 'node:fs/promises';
import { exportLocustfile } from '../challenges/export-locustfile.ts';
import { loadChallenge } from '../challenges/load-challenge.ts';
import { AssayError } from '../domain/errors.ts';
import { EXIT } from './exit-codes.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const LOAD_USAGE = `assay load export <bundle> [options]

  --profile NAME    the shorter load shape of that name
  --out FILE        where the locustfile goes (default: stdout)`;

interface ExportOptions {
  bundle: string;
  profile: string | undefined;
  out: string | undefined;
}

/** `assay load export`: writes a challenge's load plan as a locustfile. Throws AssayError `USAGE` or `NO_LOAD_PLAN`. */
export async function runLoadCommand(args: string[], stdout: NodeJS.WritableStream): Promise<number> {
  const { bundle, profile, out } = parseOptions(args);
  const { file, load, locust } = await loadChallenge(bundle, profile === undefined ? {} : { profile });
  if (!load) {
    const mend = locust
      ? `its load is made by Locust already: hand out ${locust.plan.locustfile}`
      : 'only a challenge with a load stage has one';
    throw new AssayError('NO_LOAD_PLAN', 'spec', `${bundle} has no load plan to export`, { mend });
  }
  const text = exportLocustfile(file.title, load);
  if (out === undefined) {
    stdout.write(text);
  } else {
    await writeFile(out, text);
  }
  return EXIT.passed;
}

function parseOptions(args: string[]): ExportOptions {
  const { values, positionals } = readArguments(
    args,
    { profile: { type: 'string' }, out: { type: 'string' } },
    LOAD_USAGE,
  );
  const [action, bundle, ...more] = positionals;
  if (action !== 'export' || bundle === undefined || more.length > 0) {
    throw usage('name what to do and one challenge');
  }
  return { bundle, profile: values.profile, out: values.out };
}

function usage(message: string): AssayError {
  return usageError(message, LOAD_USAGE);
}
