import { z } from 'zod';
import type { IntakeLimits } from './limits.ts';

/**
 * What the reading process writes to stdout: one line of JSON, and after an accepted submission exactly
 * `tarBytes` bytes of canonical tar. Nothing else; a process that dies leaves a short or missing answer.
 */
export const InspectAnswer = z.discriminatedUnion('outcome', [
  z.object({
    outcome: z.literal('accepted'),
    tarBytes: z.int().nonnegative(),
    files: z.array(z.object({ path: z.string(), bytes: z.int().nonnegative(), executable: z.boolean() })),
    notices: z.array(z.string()),
  }),
  z.object({
    outcome: z.literal('refused'),
    code: z.string(),
    message: z.string(),
    mend: z.string().optional(),
  }),
]);

export type InspectAnswer = z.infer<typeof InspectAnswer>;

/** The one argument of the reading process, as JSON. */
export interface InspectRequest {
  path: string;
  limits: IntakeLimits;
}
