import type { Check } from '../domain/grader-protocol.ts';
import { lostPoints, tellingExchange } from './exchange-words.ts';
import { expectedStatusOf, type Symptom, symptomOf } from './symptom.ts';

/** Failed checks that are probably one mistake. */
export interface FailureGroup {
  /** Its place in words: a suite's title, or "Across 4 suites". */
  where: string;
  symptom: Symptom;
  checks: Check[];
  /** The check that stands for the group. */
  shown: Check;
  /** The same failure in several suites, so that none of them is its theme. */
  systemic: boolean;
}

/** In so many suites, one signature is one cause. */
const SYSTEMIC_SUITES = 3;

/**
 * Groups failed checks: those with one signature ("POST, 201 expected, 422 came") across several suites are one
 * group; of the rest, those of one suite with one kind of symptom. What was never run is one group.
 */
export function groupFailures(failed: readonly Check[], stage: string): FailureGroup[] {
  const suitesOf = new Map<string, Set<string>>();
  for (const check of failed) {
    const signature = signatureOf(check);
    suitesOf.set(signature, (suitesOf.get(signature) ?? new Set()).add(check.suite ?? stage));
  }
  const groups = new Map<string, Check[]>();
  for (const check of failed) {
    const signature = signatureOf(check);
    const systemic = signature === 'not-run' || (suitesOf.get(signature)?.size ?? 0) >= SYSTEMIC_SUITES;
    const key = systemic ? signature : `${symptomOf(check)} ${check.suite ?? stage}`;
    groups.set(key, [...(groups.get(key) ?? []), check]);
  }
  return [...groups.values()].flatMap((checks) => toGroup(checks, stage));
}

function toGroup(checks: Check[], stage: string): FailureGroup[] {
  const [first] = checks;
  if (!first) {
    return [];
  }
  const suites = new Set(checks.map((check) => check.suite ?? stage));
  const systemic = suites.size > 1;
  return [
    {
      where: systemic ? `Across ${suites.size} suites` : (first.suite ?? stage),
      symptom: symptomOf(first),
      checks,
      // Across suites the first one is the plainest: authors begin with the basics.
      shown: systemic ? (checks.find(tellingExchange) ?? first) : mostTelling(checks, first),
      systemic,
    },
  ];
}

/** Two checks with equal signatures failed in the same way, as far as their evidence shows. */
function signatureOf(check: Check): string {
  const symptom = symptomOf(check);
  const exchange = tellingExchange(check);
  const call = `${symptom} ${exchange?.request.method ?? ''}`;
  if (symptom === 'not-run') {
    return symptom;
  }
  if (symptom === 'wrong-body' || symptom === 'wrong-headers') {
    return `${symptom} ${/(\$[\w.[\]"-]*|header "[\w-]+")/.exec(check.message)?.[1] ?? check.id}`;
  }
  const status = exchange?.response?.status;
  return status === undefined ? `${call} ${check.id}` : `${call} ${expectedStatusOf(check) ?? ''} ${status}`;
}

/** Costs the most; among equals the one with an exchange to show, then the first. */
function mostTelling(checks: readonly Check[], first: Check): Check {
  return checks.reduce((best, check) => (worthShowing(check) > worthShowing(best) ? check : best), first);
}

function worthShowing(check: Check): number {
  return lostPoints(check) * 2 + (tellingExchange(check) ? 1 : 0);
}
