import type { RequestStep } from '../../src/domain/api-suite-step.ts';
import { CheckFailure } from './failures.ts';
import { statusMatches } from './judge-response.ts';
import { findMismatches } from './match.ts';
import { describeExpected } from './render-value.ts';
import { expandExpected } from './template.ts';
import type { Scope } from './template.ts';

/** What is wrong with the number of answers per status, or undefined. A missing answer has no status. */
export function judgeTally(
  tally: RequestStep['tally'],
  statuses: readonly (number | undefined)[],
  scope: Scope,
): CheckFailure | undefined {
  for (const [status, expected] of Object.entries(tally ?? {})) {
    const wanted = expandExpected(expected, scope);
    const range = status.endsWith('xx') ? status : Number(status);
    const count = statuses.filter((one) => one !== undefined && statusMatches(range, one)).length;
    if (findMismatches(wanted, count).length > 0) {
      const all = distribution(statuses);
      const message = `expected the number of answers with status ${status} to ${describeExpected(wanted)}, got ${count} (${all})`;
      return new CheckFailure(message, { at: `tally["${status}"]`, actual: all });
    }
  }
  return undefined;
}

/** "1 × 201, 49 × 409" */
function distribution(statuses: readonly (number | undefined)[]): string {
  const counts = new Map<string, number>();
  for (const status of statuses) {
    const name = String(status ?? 'no answer');
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${count} × ${name}`)
    .join(', ');
}
