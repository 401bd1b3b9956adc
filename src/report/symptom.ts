import { SECOND_PASS_TAG } from '../domain/grader-protocol.ts';
import type { Check } from '../domain/grader-protocol.ts';
import { tellingExchange } from './exchange-words.ts';

/** The kind of a failure, as far as its evidence shows it. */
export type Symptom =
  | 'crash'
  | 'first-time-only'
  | 'not-run'
  | 'no-answer'
  | 'slow'
  | 'server-error'
  | 'accepted-invalid'
  | 'rejected-valid'
  | 'not-found'
  | 'wrong-status'
  | 'wrong-headers'
  | 'wrong-body'
  | 'other';

/** How telling a kind of failure is for the discussion; orders points that cost the same. */
export const TELLING: Readonly<Record<Symptom, number>> = {
  crash: 1,
  'first-time-only': 0.9,
  'server-error': 0.6,
  'no-answer': 0.5,
  'accepted-invalid': 0.4,
  'not-found': 0.4,
  slow: 0.4,
  'wrong-body': 0.3,
  'rejected-valid': 0.3,
  'wrong-headers': 0.2,
  'wrong-status': 0.2,
  other: 0.2,
  'not-run': 0,
};

const CRASHED =
  /\bthe service (ended|exited|was ended|was killed|crashed|died)|\bexited with (code|status)|out of memory/i;
const NO_ANSWER = /\b(refused|reset|hang up|no answer|timed? ?out|closed before|closed the connection)\b/i;
const SLOW = /\b(within|slower than|too slow|took \d)/i;

/** Classifies a failed check. Evidence is asked first, the words of its message where there is none. */
export function symptomOf(check: Check): Symptom {
  if (/^not (run|reached)\b/i.test(check.message)) {
    return 'not-run';
  }
  if (CRASHED.test(check.message)) {
    return 'crash';
  }
  if (check.tags?.includes(SECOND_PASS_TAG) === true) {
    return 'first-time-only';
  }
  if (!hasAnswer(check)) {
    return 'no-answer';
  }
  return symptomOfStatus(check) ?? symptomOfContent(check);
}

function hasAnswer(check: Check): boolean {
  const exchange = tellingExchange(check);
  return exchange ? exchange.response !== undefined : !NO_ANSWER.test(check.message);
}

function symptomOfStatus(check: Check): Symptom | undefined {
  const status = tellingExchange(check)?.response?.status ?? gotStatus(check.message);
  const aboutStatus =
    check.evidence?.at?.endsWith('status') || /\bexpected (?:a )?status\b/i.test(check.message);
  return status !== undefined && aboutStatus ? statusSymptom(status, expectedClass(check)) : undefined;
}

function symptomOfContent(check: Check): Symptom {
  const at = check.evidence?.at ?? '';
  if (at.endsWith('.within') || (at === '' && SLOW.test(check.message))) {
    return 'slow';
  }
  if (at.includes('.headers')) {
    return 'wrong-headers';
  }
  const aboutBody = /\.(json|jsonpath|schema|text|bytes|body)\b/.test(at);
  return aboutBody || check.evidence?.diff ? 'wrong-body' : 'other';
}

function statusSymptom(status: number, expected: number | undefined): Symptom {
  if (status >= 500) {
    return 'server-error';
  }
  const refused = status >= 400;
  if (expected === 4 && !refused) {
    return 'accepted-invalid';
  }
  if (expected === undefined || expected >= 4 || !refused) {
    return 'wrong-status';
  }
  return status === 404 ? 'not-found' : 'rejected-valid';
}

/** The status that a failed check expected, in the suite's words: "400 or 422". */
export function expectedStatusOf(check: Check): string | undefined {
  const said = /\bexpected (?:a )?status (.*?),/i.exec(check.message)?.[1];
  return said ?? (check.evidence?.at?.endsWith('status') ? check.evidence.expected : undefined);
}

/** First digit of the status that was expected: "400 or 422" and "4xx" give 4. */
function expectedClass(check: Check): number | undefined {
  const digit = /(?<!\d)([1-5])(?:\d\d|xx)(?!\d)/i.exec(expectedStatusOf(check) ?? '')?.[1];
  return digit === undefined ? undefined : Number(digit);
}

function gotStatus(message: string): number | undefined {
  const status = /\bgot (\d{3})\b/.exec(message)?.[1];
  return status === undefined ? undefined : Number(status);
}
