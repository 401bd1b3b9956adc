import { z } from 'zod';
import { ApiPlanSchema } from './api-suite.ts';

/** Steps into a JSON document; "*" is every element of a list. Empty: the document itself. */
const PlaceSchema = z.array(z.string());

/** What the service answers is wrong. */
const AnswerChangeSchema = z.discriminatedUnion('operator', [
  z.object({ operator: z.literal('change-status'), status: z.number().int() }),
  z.object({ operator: z.literal('drop-header'), name: z.string() }),
  z.object({ operator: z.literal('change-header'), name: z.string() }),
  z.object({ operator: z.literal('wrong-content-type') }),
  z.object({ operator: z.literal('empty-body') }),
  z.object({ operator: z.literal('drop-field'), at: PlaceSchema }),
  /** A value of the same type. */
  z.object({ operator: z.literal('change-value'), at: PlaceSchema }),
  z.object({ operator: z.literal('change-type'), at: PlaceSchema }),
  z.object({ operator: z.literal('add-field'), at: PlaceSchema }),
  z.object({ operator: z.literal('reorder-list'), at: PlaceSchema }),
  z.object({ operator: z.literal('truncate-list'), at: PlaceSchema }),
]);
export type AnswerChange = z.infer<typeof AnswerChangeSchema>;

/** The service does not look at one part of the request. */
const IgnoringChangeSchema = z.discriminatedUnion('operator', [
  z.object({ operator: z.literal('ignore-member'), name: z.string() }),
  z.object({ operator: z.literal('ignore-query'), name: z.string() }),
  z.object({ operator: z.literal('ignore-header'), name: z.string() }),
]);
export type IgnoringChange = z.infer<typeof IgnoringChangeSchema>;

/** What the service does is wrong. */
const DoingChangeSchema = z.discriminatedUnion('operator', [
  z.object({ operator: z.literal('delay'), ms: z.number() }),
  /** The write is done twice. */
  z.object({ operator: z.literal('duplicate') }),
  /** The write is acknowledged and not done, once there was one like it. */
  z.object({ operator: z.literal('swallow-write') }),
  /** Reads are answered from what was read before. */
  z.object({ operator: z.literal('stale-read') }),
  /** Of writes at the same time one is acknowledged and not done. */
  z.object({ operator: z.literal('lose-concurrent-write') }),
]);
export type DoingChange = z.infer<typeof DoingChangeSchema>;

/** One way in which a service can be wrong, done to its traffic by a proxy in front of it. */
const ChangeSchema = z.union([AnswerChangeSchema, IgnoringChangeSchema, DoingChangeSchema]);
export type Change = z.infer<typeof ChangeSchema>;

export function isIgnoring(change: Change): change is IgnoringChange {
  return IgnoringChangeSchema.safeParse(change).success;
}

export function isDoing(change: Change): change is DoingChange {
  return DoingChangeSchema.safeParse(change).success;
}

/** Which exchanges a change is done to. Without a status it is decided before the answer is known. */
const TargetSchema = z.object({
  method: z.string(),
  /** A template, or OTHER_PATH. */
  path: z.string(),
  status: z.number().int().optional(),
});

const PlannedMutantSchema = z.object({
  id: z.string(),
  target: TargetSchema,
  change: ChangeSchema,
  /** Ids of the checks to run, in this order, until one fails. */
  checks: z.array(z.string()),
});
export type PlannedMutant = z.infer<typeof PlannedMutantSchema>;

/** The `plan` of the mutation grader. Without mutants it runs every check once and hands over what it saw. */
export const MutationPlanSchema = z.object({
  api: ApiPlanSchema,
  templates: z.array(z.string()),
  mutants: z.array(PlannedMutantSchema),
  /** How long a check may take, ms, by id; from how long it took without a change. */
  limitsMs: z.record(z.string(), z.number()),
});
export type MutationPlan = z.output<typeof MutationPlanSchema>;

const HeadersSchema = z.array(z.tuple([z.string(), z.string()]));

/** One exchange that was seen while the service was as it is. */
export const SeenExchangeSchema = z.object({
  method: z.string(),
  /** Path and query, as sent. */
  url: z.string(),
  requestHeaders: HeadersSchema,
  requestBody: z.string(),
  status: z.number().int(),
  headers: HeadersSchema,
  body: z.string(),
  /** Another request with this method was on its way. */
  overlapped: z.boolean(),
});
export type SeenExchange = z.infer<typeof SeenExchangeSchema>;

/** One check without any change, with some of its exchanges: an artifact of the grader for each check. */
export const SeenCheckSchema = z.object({
  id: z.string(),
  passed: z.boolean(),
  durationMs: z.number(),
  exchanges: z.array(SeenExchangeSchema),
});
export type SeenCheck = z.infer<typeof SeenCheckSchema>;

/** What became of one mutant. */
export const MutantOutcomeSchema = z.object({
  id: z.string(),
  /** Id of the check that failed. */
  killedBy: z.string().nullable(),
  /** It made a difference to at least one exchange. */
  applied: z.boolean(),
  /** That check failed without a change too, afterwards: it shows nothing. */
  doubtful: z.boolean(),
  message: z.string(),
});
export const MutantOutcomesSchema = z.array(MutantOutcomeSchema);
export type MutantOutcome = z.infer<typeof MutantOutcomeSchema>;

/** Names of the artifacts that carry them. */
export const OUTCOMES_ARTIFACT = 'mutants.json';
export const SEEN_ARTIFACT_PREFIX = 'seen-';
