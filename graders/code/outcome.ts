import { stripVTControlCharacters } from 'node:util';
import type { TestCase, TestModule, TestSuite } from 'vitest/node';
import { PROTOCOL_LIMITS } from '../../src/domain/grader-protocol.ts';
import type { Check, Evidence } from '../../src/domain/grader-protocol.ts';

const MAX_TEXT_CHARS = 2000;
const MAX_DIFF_LINES = 60;

/** What a finished test means for its check. */
export function toOutcome(
  test: TestCase,
  points: number,
): Pick<Check, 'status' | 'points' | 'message' | 'durationMs' | 'evidence'> {
  const result = test.result();
  const durationMs = Math.round(test.diagnostic()?.duration ?? 0);
  if (result.state === 'passed') {
    return { status: 'passed', points, message: '', durationMs };
  }
  const error = result.state === 'failed' ? result.errors[0] : hookError(test);
  if (!error) {
    return { status: 'skipped', points: 0, message: 'The test leaves itself out.', durationMs };
  }
  const message = plain(error.message).split('\n\n')[0] ?? '';
  return {
    status: 'failed',
    points: 0,
    message: (message || error.name || 'the test failed').slice(0, MAX_TEXT_CHARS),
    durationMs,
    evidence: evidenceOf(error),
  };
}

/**
 * vitest calls the tests of a group skipped whose "beforeAll" failed: they were to run, and did not begin. Known when the
 * whole file has ended, not before.
 */
function hookError(test: TestCase): Failure | undefined {
  if (test.options.mode === 'skip' || test.options.mode === 'todo' || test.diagnostic() !== undefined) {
    return undefined;
  }
  for (let at: TestSuite | TestModule = test.parent; ; at = at.parent) {
    const [error] = at.errors();
    if (error !== undefined || at.type === 'module') {
      return error;
    }
  }
}

interface Failure {
  message: string;
  name?: string | undefined;
  diff?: string | undefined;
  expected?: unknown;
  actual?: unknown;
  stacks?: { file: string; line: number }[] | undefined;
}

function evidenceOf(error: Failure): Evidence {
  const [place] = error.stacks ?? [];
  const diff = error.diff === undefined ? undefined : plain(error.diff).split('\n').slice(0, MAX_DIFF_LINES);
  const evidence: Evidence = {
    ...(place ? { at: `${place.file.replace(/^\/input\//, '')}:${place.line}` } : {}),
    ...(diff ? { diff } : {}),
    ...(error.expected === undefined ? {} : { expected: shown(error.expected) }),
    ...(error.actual === undefined ? {} : { actual: shown(error.actual) }),
  };
  if (Buffer.byteLength(JSON.stringify(evidence)) <= PROTOCOL_LIMITS.evidenceBytes) {
    return evidence;
  }
  const { diff: _tooLong, ...rest } = evidence;
  return rest;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  return plain(text).slice(0, MAX_TEXT_CHARS);
}

function plain(text: string): string {
  return stripVTControlCharacters(text);
}
