import type { CheckStatusSchema } from '../../domain/grader-protocol.ts';
import type { Report, StageReport } from '../../domain/report.ts';
import type { Blame } from '../../domain/errors.ts';
import type { z } from 'zod';

/** How something is shown: a symbol and a word, so that colour is never the only sign. */
export interface Sign {
  symbol: string;
  word: string;
  tone: 'good' | 'warn' | 'bad' | 'open' | 'quiet';
}

/** The sign of a run's outcome. */
export function outcomeSign({ status, verdict }: Report['outcome']): Sign {
  if (status === 'canceled') {
    return { symbol: '–', word: 'Canceled', tone: 'quiet' };
  }
  switch (verdict) {
    case 'passed':
      return { symbol: '✓', word: 'Passed', tone: 'good' };
    case 'partial':
      return { symbol: '◐', word: 'Partial', tone: 'warn' };
    case 'failed':
      return { symbol: '✗', word: 'Failed', tone: 'bad' };
    case 'inconclusive':
      return { symbol: '?', word: 'Inconclusive', tone: 'open' };
    case null:
      return { symbol: '!', word: 'Not graded', tone: 'open' };
  }
}

const STAGE_SIGNS: Readonly<Record<StageReport['status'], Sign>> = {
  completed: { symbol: '●', word: 'completed', tone: 'quiet' },
  failed: { symbol: '✗', word: 'ended early', tone: 'bad' },
  errored: { symbol: '!', word: 'errored (ours)', tone: 'open' },
  inconclusive: { symbol: '?', word: 'inconclusive', tone: 'open' },
  skipped: { symbol: '–', word: 'not reached', tone: 'quiet' },
};

/** The sign of a stage's status. */
export function stageSign(status: StageReport['status']): Sign {
  return STAGE_SIGNS[status];
}

const CHECK_SIGNS: Readonly<Record<z.infer<typeof CheckStatusSchema>, Sign>> = {
  passed: { symbol: '✓', word: 'passed', tone: 'good' },
  failed: { symbol: '✗', word: 'failed', tone: 'bad' },
  errored: { symbol: '!', word: 'errored (ours)', tone: 'open' },
  skipped: { symbol: '–', word: 'skipped', tone: 'quiet' },
};

/** The sign of a check's status. */
export function checkSign(status: z.infer<typeof CheckStatusSchema>): Sign {
  return CHECK_SIGNS[status];
}

/** Whose a failure is, in words. */
export function blameWords(blame: Blame): string {
  switch (blame) {
    case 'candidate':
      return "the submission's";
    case 'limit':
      return "the submission's: it met a limit that the challenge states";
    case 'spec':
      return "the challenge's, not the candidate's";
    case 'infra':
      return "the grading service's, not the candidate's";
  }
}

/** "API" for the stage `api`, else its name with a capital. */
export function stageTitle(name: string): string {
  return name === 'api' ? 'API' : name.charAt(0).toUpperCase() + name.slice(1);
}
