import { z } from 'zod';
import { parseThreshold } from './load-threshold.ts';
import type { Threshold } from './load-threshold.ts';

/** What a service is to keep up while the rate grows: "p95 < 100ms and errors < 1%". */
export interface Objective {
  text: string;
  /** All of them must hold. */
  clauses: Threshold[];
}

/** An objective as its author writes it. */
export const ObjectiveSchema = z.string().transform((text, ctx): Objective => {
  const clauses: Threshold[] = [];
  for (const part of text.split(/\s+and\s+/)) {
    const parsed = parseThreshold(part);
    const problem = parsed.ok ? misplaced(parsed.threshold) : parsed.message;
    if (problem !== undefined) {
      ctx.addIssue({ code: 'custom', message: problem });
      return z.NEVER;
    }
    if (parsed.ok) {
      clauses.push(parsed.threshold);
    }
  }
  return { text, clauses };
});

function misplaced({ metric, unit }: Threshold): string | undefined {
  if (metric === 'knee' || metric === 'rps') {
    return `${metric} is no part of an objective; limit a latency, errors or checks`;
  }
  return unit === 'x' ? 'an objective has limits of its own, not multiples of the reference' : undefined;
}
