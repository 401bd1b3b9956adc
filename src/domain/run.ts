import { z } from 'zod';

/** The only lifecycle words; the verdict exists only when completed. */
export const RunStateSchema = z.enum(['queued', 'running', 'completed', 'errored', 'canceled']);
export type RunState = z.infer<typeof RunStateSchema>;

export const TERMINAL_STATES: ReadonlySet<RunState> = new Set(['completed', 'errored', 'canceled']);

/**
 * `first` the grading of a submission · `dry` its visible suites only · `regrade` again, perhaps against another
 * version · `check` the self-check of a challenge version, without a submission.
 */
export const RunKindSchema = z.enum(['first', 'dry', 'regrade', 'check']);
export type RunKind = z.infer<typeof RunKindSchema>;

/** What happens to a run, in the order it happened; `seq` counts from 1 within a run and resumes a stream. */
export const RunEventSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('state'), state: RunStateSchema, message: z.string().optional() }),
  /** Place in the queue, 1 = next. */
  z.object({ type: z.literal('queue'), position: z.number().int() }),
  z.object({ type: z.literal('stage'), stage: z.string(), state: z.enum(['begin', 'end']) }),
  z.object({
    type: z.literal('check'),
    stage: z.string(),
    id: z.string(),
    name: z.string(),
    status: z.enum(['passed', 'failed', 'errored', 'skipped']),
    visible: z.boolean(),
  }),
  z.object({
    type: z.literal('progress'),
    stage: z.string(),
    done: z.number(),
    total: z.number(),
    label: z.string(),
  }),
  /** A piece of the submission's own build or service log, untrusted text. */
  z.object({ type: z.literal('log'), source: z.enum(['build', 'service']), text: z.string() }),
  z.object({ type: z.literal('end'), state: RunStateSchema, verdict: z.string().nullable() }),
]);
export type RunEvent = z.infer<typeof RunEventSchema>;

export interface StoredRunEvent {
  seq: number;
  at: Date;
  event: RunEvent;
}
