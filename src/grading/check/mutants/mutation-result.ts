import type { CheckReport } from '../../../domain/check-report.ts';
import type { MutantOutcome } from '../../../domain/mutation.ts';
import type { Mutant } from './mutant.ts';
import { wordsFor } from './words.ts';

const NEVER_SHOWN = 'No exchange of the suites makes it visible.';

/** Counts what was noticed and explains what was not. Pure. */
export function mutationResult(
  mutants: readonly Mutant[],
  outcomes: ReadonlyMap<string, MutantOutcome>,
): Pick<CheckReport['mutation'], 'killed' | 'total' | 'survivors' | 'meaningless'> {
  const survivors: CheckReport['mutation']['survivors'] = [];
  const meaningless: CheckReport['mutation']['meaningless'] = [];
  let killed = 0;
  for (const mutant of mutants) {
    const outcome = outcomes.get(mutant.id);
    const { id, operation, change } = mutant;
    const { about, advice } = wordsFor(change);
    const shown = { id, operation, operator: change.operator, about };
    const reason = mutant.reason ?? (outcome?.applied === true ? undefined : NEVER_SHOWN);
    if (outcome?.killedBy !== undefined && outcome.killedBy !== null) {
      killed += 1;
    } else if (reason === undefined) {
      survivors.push({ ...shown, advice });
    } else {
      meaningless.push({ ...shown, reason });
    }
  }
  return { killed, total: killed + survivors.length, survivors, meaningless };
}

/** Checks that failed without any change beside the mutants: what they noticed is not certain. */
export function doubtsOf(outcomes: ReadonlyMap<string, MutantOutcome>): string[] {
  const doubtful = [...outcomes.values()].filter((outcome) => outcome.doubtful);
  const checks = [...new Set(doubtful.map(({ killedBy }) => killedBy ?? ''))];
  return checks.map((id) => `"${id}" failed without a change while mutants were tried.`);
}
