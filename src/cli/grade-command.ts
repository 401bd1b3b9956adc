import { randomUUID } from 'node:crypto';
import { basename, join, resolve } from 'node:path';
import { loadChallenge } from '../challenges/load-challenge.ts';
import type { Grading } from '../compose.ts';
import type { AssayError } from '../domain/errors.ts';
import { gradeRun } from '../grading/grade-run.ts';
import type { GradedRun } from '../grading/grade-run.ts';
import { decideStartPlan } from '../grading/start-plan.ts';
import { inspectSubmission } from '../intake/inspect-submission.ts';
import { renderSummary } from '../report/render/terminal.ts';
import { systemClock } from '../shared/clock.ts';
import { exitCodeOf } from './exit-codes.ts';
import { makeProgressView } from './progress-view.ts';
import { writeReport } from './write-report.ts';
import { readArguments, usageError } from './read-arguments.ts';

export const GRADE_USAGE = `assay grade <directory or archive> --challenge <bundle> [options]

  --challenge DIR   the challenge bundle, such as challenge-specs/url-shortener
  --out DIR         where report.json, report.html and artifacts go (default: under ASSAY_HOME)
  --json            print the report alone on stdout
  --stages a,b      only these stages
  --profile NAME    a shorter load shape that the plan names, such as demo
  --visible         only what a candidate may see
  --seed TEXT       repeat the random choices of an earlier run
  --runtime NAME    OCI runtime of the containers: runc or runsc`;

export interface GradeOptions {
  submission: string;
  challenge: string;
  out: string | undefined;
  json: boolean;
  stages: string[] | undefined;
  profile: string | undefined;
  visible: boolean;
  seed: string | undefined;
  runtime: 'runc' | 'runsc' | undefined;
}

/** Reads the command line of \`assay grade\`. Throws AssayError \`USAGE\`. */
export function parseGradeOptions(args: string[]): GradeOptions {
  const { values, positionals } = readArguments(
    args,
    {
      challenge: { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean' },
      stages: { type: 'string' },
      profile: { type: 'string' },
      visible: { type: 'boolean' },
      seed: { type: 'string' },
      runtime: { type: 'string' },
    },
    GRADE_USAGE,
  );
  const [submission, ...more] = positionals;
  if (submission === undefined || more.length > 0 || values.challenge === undefined) {
    throw usage('name one submission and its challenge');
  }
  if (values.runtime !== undefined && values.runtime !== 'runc' && values.runtime !== 'runsc') {
    throw usage(`--runtime takes runc or runsc, not "${values.runtime}"`);
  }
  return {
    submission,
    challenge: values.challenge,
    out: values.out,
    json: values.json ?? false,
    stages: values.stages?.split(',').map((name) => name.trim()),
    profile: values.profile,
    visible: values.visible ?? false,
    seed: values.seed,
    runtime: values.runtime,
  };
}

function usage(message: string): AssayError {
  return usageError(message, GRADE_USAGE);
}

export interface GradeIo {
  stdout: NodeJS.WritableStream;
  stderr: NodeJS.WriteStream;
  color: boolean;
}

/**
 * Grades one submission and prints its report. Answers the exit code. The submission and the bundle are read and
 * judged before the engine is asked for, so that what is refused is refused at once.
 */
export async function runGradeCommand(
  options: GradeOptions,
  openGrading: () => Promise<Grading>,
  io: GradeIo,
  signal: AbortSignal,
): Promise<number> {
  const challenge = await loadChallenge(
    options.challenge,
    options.profile === undefined ? {} : { profile: options.profile },
  );
  const submission = await inspectSubmission({ path: options.submission }, {}, signal);
  const startPlan = decideStartPlan(submission, challenge.file.build.runtimes);
  const grading = await openGrading();
  const view = makeProgressView(io.stderr, systemClock);
  const runId = randomUUID();
  try {
    const graded = await gradeRun(
      {
        runId,
        epoch: 0,
        seed: options.seed ?? randomUUID(),
        challenge,
        submission,
        startPlan,
        scope: 'local',
        selection: { visibleOnly: options.visible, ...(options.stages ? { stages: options.stages } : {}) },
      },
      { ...grading.deps, onProgress: view.onProgress },
      signal,
    );
    view.end();
    const folder = resolve(
      options.out ?? join(grading.home, 'reports', `${basename(options.submission)}-${runId.slice(0, 8)}`),
    );
    await writeReport(graded, folder);
    printReport(graded, folder, options, io);
    return exitCodeOf(graded.report);
  } finally {
    view.end();
    await closeQuietly(grading, io.stderr);
  }
}

/** What could not be removed must not change the outcome of a run. */
export async function closeQuietly(grading: Grading, stderr: NodeJS.WritableStream): Promise<void> {
  try {
    await grading.close();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    stderr.write(`assay: not everything could be removed (${reason}); "assay clean" tries again\n`);
  }
}

function printReport({ report }: GradedRun, folder: string, options: GradeOptions, io: GradeIo): void {
  if (options.json) {
    io.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    return;
  }
  const width = io.stderr.columns || 100;
  io.stdout.write(renderSummary(report, { color: io.color, width, reportPath: join(folder, 'report.html') }));
}
