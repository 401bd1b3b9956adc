import type { Change, PlannedMutant } from '../../../domain/mutation.ts';

/** A derived variant of a reference. With a `reason` it is meaningless and not tried. */
export interface Mutant extends PlannedMutant {
  /** "GET /links/{code} → 410" */
  operation: string;
  reason?: string;
}

/** Makes the mutant of an operation; its id is the same in every run. */
export function makeMutant(
  target: PlannedMutant['target'],
  change: Change,
  checks: readonly string[],
  reason?: string,
): Mutant {
  const { method, path, status } = target;
  const operation = `${method} ${path}${status === undefined ? '' : ` → ${status}`}`;
  const detail = Object.entries(change)
    .filter(([key]) => key !== 'operator')
    .map(([, value]) => (Array.isArray(value) ? value.join('.') : String(value)))
    .join(' ');
  const id = `${operation} ${change.operator} ${detail}`.trim();
  return { id, target, change, checks: [...checks], operation, ...(reason === undefined ? {} : { reason }) };
}
