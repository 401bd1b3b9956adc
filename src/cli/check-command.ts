import { randomUUID } from 'node:crypto';
import { loadChallenge } from '../challenges/load-challenge.ts';
import type { Grading } from '../compose.ts';
import type { CheckReport } from '../domain/check-report.ts';
import type { AssayError } from '../domain/errors.ts';
import type { CheckOptions } from '../grading/check/check-types.ts';
import { checkChallenge } from '../grading/check-challenge.ts';
import { inspectSubmission } from '../intake/inspect-submission.ts';
import { systemClock } from '../shared/clock.ts';
import { makeCheckView } from './check-view.ts';
import { renderCheckReport } from './check-table.ts';
import { EXIT } from './exit-codes.ts';
import { closeQuietly } from './grade-command.ts';
import type { GradeIo } from './grade-command.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const CHECK_USAGE = `assay check <bundle> [options]

  --stages a,b      only these stages
  --repeat N        gradings of each reference; or by stage: api=20,load=1 (default: 10 of api, 3 of the others)
  --no-mutants      leave out the broken variants that are derived from a reference
  --profile NAME    a shorter load shape that the plan names, such as demo
  --seed TEXT       the choice of an earlier check
  --json            print the findings alone on stdout`;

export interface CheckCommandOptions {
  bundle: string;
  stages: string[] | undefined;
  repeat: Record<string, number> | number | undefined;
  mutants: boolean;
  profile: string | undefined;
  seed: string | undefined;
  json: boolean;
}

/** Reads the command line of `assay check`. Throws AssayError `USAGE`. */
export function parseCheckOptions(args: string[]): CheckCommandOptions {
  const { values, positionals } = readArguments(
    args,
    {
      stages: { type: 'string' },
      repeat: { type: 'string' },
      'no-mutants': { type: 'boolean' },
      profile: { type: 'string' },
      seed: { type: 'string' },
      json: { type: 'boolean' },
    },
    CHECK_USAGE,
  );
  const [bundle, ...more] = positionals;
  if (bundle === undefined || more.length > 0) {
    throw usage('name one challenge bundle');
  }
  return {
    bundle,
    stages: values.stages?.split(',').map((name) => name.trim()),
    repeat: values.repeat === undefined ? undefined : parseRepeat(values.repeat),
    mutants: !(values['no-mutants'] ?? false),
    profile: values.profile,
    seed: values.seed,
    json: values.json ?? false,
  };
}

function parseRepeat(text: string): Record<string, number> | number {
  if (/^[1-9]\d{0,2}$/.test(text)) {
    return Number(text);
  }
  const pairs = text.split(',').map((pair) => /^([a-z]+)=([1-9]\d{0,2})$/.exec(pair.trim()));
  return Object.fromEntries(
    pairs.map((match) => {
      if (!match) {
        throw usage(`--repeat takes a number from 1 to 999, or stages such as api=20,load=1, not "${text}"`);
      }
      return [match[1], Number(match[2])];
    }),
  );
}

function usage(message: string): AssayError {
  return usageError(message, CHECK_USAGE);
}

/** Checks a challenge and prints what was found. Answers the exit code: 0 blessed, 1 refused, 3 our fault. */
export async function runCheckCommand(
  options: CheckCommandOptions,
  openGrading: () => Promise<Grading>,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const challenge = await loadChallenge(
    options.bundle,
    options.profile === undefined ? {} : { profile: options.profile },
  );
  const checkOptions = toCheckOptions(options, Object.keys(challenge.file.stages));
  const grading = await openGrading();
  const view = makeCheckView(io.stderr, systemClock);
  try {
    const report = await checkChallenge(
      challenge,
      { ...grading.deps, inspect: (path, stop) => inspectSubmission({ path }, {}, stop) },
      checkOptions,
      view.onProgress,
      signal,
    );
    view.end();
    io.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderCheckReport(report));
    return exitCodeOfCheck(report);
  } finally {
    view.end();
    await closeQuietly(grading, io.stderr);
  }
}

function toCheckOptions(options: CheckCommandOptions, stageNames: readonly string[]): CheckOptions {
  const { repeat } = options;
  const byStage =
    typeof repeat === 'number' ? Object.fromEntries(stageNames.map((name) => [name, repeat])) : repeat;
  const unknown = Object.keys(byStage ?? {}).filter((name) => !stageNames.includes(name));
  if (unknown.length > 0) {
    throw usage(`--repeat names ${unknown.join(', ')}; stages of this challenge: ${stageNames.join(', ')}`);
  }
  return {
    mutants: options.mutants,
    seed: options.seed ?? randomUUID(),
    ...(options.stages ? { stages: options.stages } : {}),
    ...(byStage ? { repeat: byStage } : {}),
  };
}

function exitCodeOfCheck(report: CheckReport): number {
  if (report.refusals.length > 0) {
    return EXIT.notPassed;
  }
  return report.ok ? EXIT.passed : EXIT.ours;
}
