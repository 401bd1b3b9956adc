import { z } from 'zod';
import { ReferenceFiguresSchema, ReferenceTurnSchema } from './load-result.ts';
import { SkillSchema, VisibilitySchema } from './verdict.ts';

/**
 * The contract between the host and a grader's container, version 1. See graders/README.md.
 * stdin line 1 is a GraderInput; later lines are ControlReply. stdout is one GraderEvent a line (NDJSON).
 * stderr is the grader's log for operators. A grader that ends without `done` has failed, which is ours.
 */
export const PROTOCOL_VERSION = 1;

/** Caps on what a grader may print. A longer line fails the grader; past `totalBytes` it is ended. */
export const PROTOCOL_LIMITS = {
  lineBytes: 256 * 1024,
  totalBytes: 32 * 1024 * 1024,
  evidenceBytes: 16 * 1024,
} as const;

export const GraderInputSchema = z.object({
  v: z.literal(PROTOCOL_VERSION),
  stage: z.string(),
  /** Where the service answers; `address` is what readiness found: 127.0.0.1 or ::1. */
  target: z.object({ address: z.string(), port: z.number().int() }),
  /** Every random choice of the grader derives from it. */
  seed: z.string(),
  /** Wall-clock budget, ms; the host kills the container at it. */
  deadlineMs: z.number(),
  /** What to do, parsed on the host; its shape belongs to the grader. */
  plan: z.unknown(),
});
export type GraderInput = z.infer<typeof GraderInputSchema>;

/** One HTTP exchange, as evidence. Bodies are capped text; bytes that are not UTF-8 show as U+FFFD. */
export const ExchangeSchema = z.object({
  /** What the suite called this step, "POST /links". */
  label: z.string().optional(),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.array(z.tuple([z.string(), z.string()])),
    body: z.string().optional(),
    bodyTruncated: z.boolean().optional(),
  }),
  /** Absent when no complete response came; `error` says why. */
  response: z
    .object({
      status: z.number().int(),
      headers: z.array(z.tuple([z.string(), z.string()])),
      body: z.string().optional(),
      bodyTruncated: z.boolean().optional(),
    })
    .optional(),
  error: z.string().optional(),
  durationMs: z.number(),
  /** A command line that repeats the request. */
  curl: z.string().optional(),
});
export type Exchange = z.infer<typeof ExchangeSchema>;

export const EvidenceSchema = z.object({
  exchanges: z.array(ExchangeSchema).optional(),
  /** Line by line: what was expected and what came, ready to print ("- expected", "+ actual"). */
  diff: z.array(z.string()).optional(),
  /** Where in the suite: "steps[1].expect.status". */
  at: z.string().optional(),
  expected: z.string().optional(),
  actual: z.string().optional(),
});
export type Evidence = z.infer<typeof EvidenceSchema>;

/** Marks a check that held at first, but not when it was made again with other data, as another client. */
export const SECOND_PASS_TAG = 'second-pass';

export const CheckStatusSchema = z.enum(['passed', 'failed', 'errored', 'skipped']);

/**
 * One graded assertion. `failed` is the candidate's, `errored` is ours (leaves both sums, with a mark),
 * `skipped` was left out by the spec. A check that the candidate blocked is `failed`.
 */
export const CheckSchema = z.object({
  id: z.string().min(1).max(200),
  name: z.string().max(300),
  /** Title of the suite it belongs to. */
  suite: z.string().max(300).optional(),
  status: CheckStatusSchema,
  points: z.number().min(0),
  maxPoints: z.number().min(0),
  skill: SkillSchema,
  visibility: VisibilitySchema,
  /** Empty for a passed check, else one plain sentence. */
  message: z.string().max(4000),
  evidence: EvidenceSchema.optional(),
  durationMs: z.number(),
  tags: z.array(z.string()).optional(),
});
export type Check = z.infer<typeof CheckSchema>;

/** One number about the run, "p95(follow)". `unit`: ms, /s, bytes, ratio, count. */
export const MetricSchema = z.object({ name: z.string(), value: z.number(), unit: z.string() });
export type Metric = z.infer<typeof MetricSchema>;

/** One curve; `points` are [seconds since the stage began, value]. */
export const SeriesSchema = z.object({
  name: z.string(),
  unit: z.string(),
  points: z.array(z.tuple([z.number(), z.number()])),
});
export type Series = z.infer<typeof SeriesSchema>;

/**
 * All but the last two act on the service. Those are for the grader of a load test whose limits are multiples of what the
 * reference service reaches. `reference-turn` holds the service and its databases still for a moment and has the
 * reference show how much it can do just then. `reference` ends the service for good and measures the reference in its
 * place.
 */
export const ControlActionSchema = z.enum([
  'start',
  'stop',
  'kill',
  'restart',
  'pause',
  'resume',
  'stats',
  'reference-turn',
  'reference',
]);
export type ControlAction = z.infer<typeof ControlActionSchema>;
export type ServiceAction = Exclude<ControlAction, 'reference' | 'reference-turn'>;

export const GraderEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('check'), check: CheckSchema }),
  z.object({ event: z.literal('metric'), metric: MetricSchema }),
  z.object({ event: z.literal('series'), series: SeriesSchema }),
  /** A small file for reviewers, base64. One that does not fit into a line comes in parts: `append` to the first. */
  z.object({
    event: z.literal('artifact'),
    name: z.string().regex(/^[\w.-]{1,80}$/),
    contentType: z.string(),
    base64: z.string(),
    append: z.literal(true).optional(),
  }),
  /** For live progress: "12/38", what runs now. */
  z.object({ event: z.literal('progress'), done: z.number(), total: z.number(), label: z.string().max(300) }),
  z.object({
    event: z.literal('control'),
    id: z.string(),
    action: ControlActionSchema,
    graceMs: z.number().optional(),
  }),
  /** A stage-specific result document (the load grader's summary). */
  z.object({ event: z.literal('result'), result: z.unknown() }),
  /**
   * `inconclusive`: the grader itself could not measure properly, and why. `specError`: a file of the challenge is
   * broken in a way that shows only when it runs; `log` is what its author needs to see, such as a traceback.
   */
  z.object({
    event: z.literal('done'),
    inconclusive: z.string().optional(),
    specError: z.object({ message: z.string(), log: z.string().optional() }).optional(),
  }),
]);
export type SpecError = NonNullable<Extract<GraderEvent, { event: 'done' }>['specError']>;
export type GraderEvent = z.infer<typeof GraderEventSchema>;

/** What the candidate's container uses now. */
export const ResourceUsageSchema = z.object({
  /** CPU time since its start, ms. */
  cpuMs: z.number(),
  memoryBytes: z.number(),
  pids: z.number(),
  /** Time that its CPU limit made it wait since its start, ms; absent where the engine does not tell. */
  throttledMs: z.number().optional(),
  /** TCP sockets of the pod in any state. */
  sockets: z.number().optional(),
});
export type ResourceUsage = z.infer<typeof ResourceUsageSchema>;

/**
 * Answer to a `control` event. `start` is idempotent: it answers ok at once when the service runs and is ready.
 * `note` tells what became of the process since the last reply ("exited with code 1: …"), for check messages.
 */
/** The `error` of a `stats` request for a service that has ended. */
export const NOT_RUNNING = 'the service does not run';

export const ControlReplySchema = z.object({
  id: z.string(),
  ok: z.boolean(),
  error: z.string().optional(),
  note: z.string().optional(),
  /** The process was ended by SIGKILL: for `stop` and `restart`, because the grace was over. */
  forced: z.boolean().optional(),
  /** For `start` and `restart`: from the start of the process to its first 2xx answer, ms. */
  readyMs: z.number().optional(),
  stats: ResourceUsageSchema.optional(),
  /** For `reference-turn`. */
  turn: ReferenceTurnSchema.optional(),
  /** For `reference`: what it reached. */
  reference: ReferenceFiguresSchema.optional(),
});
export type ControlReply = z.infer<typeof ControlReplySchema>;
