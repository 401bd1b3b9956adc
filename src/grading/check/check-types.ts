import type { CanonicalSubmission } from '../../domain/submission.ts';
import type { GradeDeps } from '../grade-run.ts';

export interface CheckOptions {
  /** Only these stages; all of the challenge when undefined. */
  stages?: readonly string[];
  /** How often each reference is graded, by stage; the defaults where a stage is not named. */
  repeat?: Readonly<Record<string, number>>;
  /** Derive broken variants of a reference and see whether the suites notice them. */
  mutants: boolean;
  /** All random choices derive from it. */
  seed: string;
}

/** Runs one grading of a check, or one batch of mutants, when its turn has come. Rejects with the signal's reason. */
export type InTurn = <T>(grading: () => Promise<T>, signal: AbortSignal) => Promise<T>;

export interface CheckDeps extends Omit<GradeDeps, 'onProgress'> {
  /** Reads a sample's folder the way an upload is read. Throws IntakeError. */
  inspect: (directory: string, signal: AbortSignal) => Promise<CanonicalSubmission>;
  /** Where others are graded beside the check; a check alone has all turns at once. */
  inTurn?: InTurn;
}

/** What a person watching a check of a challenge may want to know. */
export type CheckProgress =
  | { kind: 'begin'; part: CheckPart }
  | { kind: 'step'; part: CheckPart; done: number; total: number; label: string }
  /** Something that will be in the report, as soon as it is known. */
  | { kind: 'finding'; text: string }
  | { kind: 'end'; part: CheckPart };
export type CheckPart = 'gradings' | 'mutants';

export type OnCheckProgress = (event: CheckProgress) => void;
