import type { Check } from '../domain/grader-protocol.ts';
import type { Failure } from '../domain/report.ts';
import type { PlannedCheck, StageFacts } from './run-facts.ts';

/**
 * The checks of a stage in planned order, each once, then those that were reported without being planned.
 * A planned check that no grader reported is `failed` where the candidate's side ended the stage (it blocked it)
 * and `errored` where we did.
 */
export function completeChecks(planned: readonly PlannedCheck[], facts: StageFacts | undefined): Check[] {
  const reported = new Map((facts?.checks ?? []).map((check) => [check.id, check]));
  const inOrder = planned.map((check) => {
    const known = reported.get(check.id);
    reported.delete(check.id);
    return known ?? missingCheck(check, facts);
  });
  return [...inOrder, ...reported.values()];
}

/** Whether the candidate's side is to answer for a failure. A limit that the spec states is the candidate's. */
export function isCandidates(failure: Failure): boolean {
  return failure.blame === 'candidate' || failure.blame === 'limit';
}

function missingCheck(planned: PlannedCheck, facts: StageFacts | undefined): Check {
  const blocked = facts?.failure !== undefined && isCandidates(facts.failure);
  const reason = facts?.failure?.message ?? facts?.inconclusive ?? 'no result came from the grader';
  return {
    ...planned,
    status: blocked ? 'failed' : 'errored',
    points: 0,
    message: `not run: ${reason}`.slice(0, 4000),
    durationMs: 0,
  };
}
