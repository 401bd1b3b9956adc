/** Whose fault a failure is. `limit` = the candidate's work met a limit that the spec states. */
export type Blame = 'candidate' | 'spec' | 'infra' | 'limit';

/**
 * A failure a person is meant to read: `message` says what happened, `mend` what to do about it,
 * `code` is stable and can be relied on by programs.
 */
export class AssayError extends Error {
  readonly code: string;
  readonly blame: Blame;
  readonly mend: string | undefined;

  constructor(code: string, blame: Blame, message: string, options: { mend?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AssayError';
    this.code = code;
    this.blame = blame;
    this.mend = options.mend;
  }
}

/** The upload was refused before any attempt was used. Codes are those of the intake rules (ARCHIVE_LINK, …). */
export class IntakeError extends AssayError {
  constructor(code: string, message: string, options: { mend?: string; cause?: unknown } = {}) {
    super(code, 'candidate', message, options);
    this.name = 'IntakeError';
  }
}

/** One mistake in a challenge bundle, with its place. `line` counts from 1. */
export interface SpecProblem {
  file: string;
  line?: number;
  path?: string;
  message: string;
  mend?: string;
}

/** The challenge bundle is wrong. Carries every problem that was found, not only the first. */
export class SpecError extends AssayError {
  readonly problems: readonly SpecProblem[];

  constructor(problems: readonly SpecProblem[]) {
    super('SPEC_INVALID', 'spec', problems.map(formatSpecProblem).join('\n'));
    this.name = 'SpecError';
    this.problems = problems;
  }
}

/** Our own fault, or the machine's. Never counts against a candidate. */
export class InfraError extends AssayError {
  constructor(code: string, message: string, options: { mend?: string; cause?: unknown } = {}) {
    super(code, 'infra', message, options);
    this.name = 'InfraError';
  }
}

/** "hidden/api/links.yaml:12 tests[0].steps[1]: expected … — mend: …" */
export function formatSpecProblem(problem: SpecProblem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}`;
  const path = problem.path ? ` ${problem.path}` : '';
  const mend = problem.mend ? ` — ${problem.mend}` : '';
  return `${place}${path}: ${problem.message}${mend}`;
}
