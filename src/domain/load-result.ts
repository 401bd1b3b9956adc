import { z } from 'zod';

/** Latency of one group of requests, ms, from HDR histograms with 3 significant digits. */
export const LatencySchema = z.object({
  count: z.number().int(),
  min: z.number(),
  mean: z.number(),
  p50: z.number(),
  p90: z.number(),
  p95: z.number(),
  p99: z.number(),
  max: z.number(),
});
export type Latency = z.infer<typeof LatencySchema>;

/** A threshold of the load plan with k6's meaning. */
export const ThresholdResultSchema = z.object({
  that: z.string(),
  ok: z.boolean(),
  actual: z.number().nullable(),
  limit: z.number(),
  /** "ms", "ratio", "/s"; "x": both figures are multiples of what the reference service reached. */
  unit: z.string(),
  /** Of a relative threshold: what was measured and where the limit lay, in their own unit. */
  raw: z.object({ actual: z.number().nullable(), limit: z.number(), unit: z.string() }).optional(),
  /** It did not hold, and nobody can tell whether that is the service's doing: its check is ours, and says why. */
  unsteady: z.literal(true).optional(),
});

/** One rate that the search for the knee tried. */
const KneeStepSchema = z.object({
  /** Arrivals per second. */
  rate: z.number(),
  fromS: z.number(),
  toS: z.number(),
  /** The objective held. */
  ok: z.boolean(),
  requests: z.number().int(),
  failures: z.number().int(),
  unsent: z.number().int(),
  /** Intended start to end of successful requests, ms; null when there were none. */
  p50: z.number().nullable(),
  p95: z.number().nullable(),
  p99: z.number().nullable(),
  /** What the reference service reached just before and just after, requests/s; absent where it was not asked. */
  reference: z.number().optional(),
});

export type KneeStep = z.infer<typeof KneeStepSchema>;

/** The highest arrival rate that met an objective. */
export const KneeSchema = z.object({
  /** "p95 < 100ms and errors < 1%" */
  objective: z.string(),
  /**
   * `found`: it lies within the rates that were tried · `above`: even the highest rate met the objective, so `rate` is
   * that rate · `below`: not even the lowest did, so `rate` is 0.
   */
  outcome: z.enum(['found', 'above', 'below']),
  /** Arrivals per second. */
  rate: z.number(),
  /** 95 % confidence interval of `rate`. */
  low: z.number(),
  high: z.number(),
  /** How many measurements were made close to the knee. */
  repeats: z.number().int(),
  /**
   * What the reference service reached in turns with the search, requests/s: what `rate` is a multiple of. Absent where
   * no limit asks for it, or it could not be measured.
   */
  reference: z.number().optional(),
  /** In the order in which they ran. */
  steps: z.array(KneeStepSchema),
});

export type Knee = z.infer<typeof KneeSchema>;

/** What the built-in reference service reached on the same CPUs, with the same share of them. */
export const ReferenceFiguresSchema = z.object({
  /** At a low fixed rate, intended start to end, ms. */
  latency: LatencySchema,
  /** At saturation; absent where no limit on `rps` asks for it. */
  requestsPerSecond: z.number().optional(),
});

/** What the reference service reached by asking itself for a moment. */
export const ReferenceTurnSchema = z.object({
  requestsPerSecond: z.number().positive(),
  /** CPU time that it took, ms. */
  cpuMs: z.number(),
});
export type ReferenceTurn = z.infer<typeof ReferenceTurnSchema>;

export type ReferenceFigures = z.infer<typeof ReferenceFiguresSchema>;

/**
 * What figures are compared with: measured just before the test, or, where it was measured after it as well, the
 * geometric mean of the two.
 */
export const ReferenceSchema = ReferenceFiguresSchema.extend({
  /** Both are there, or neither. */
  before: ReferenceFiguresSchema.optional(),
  after: ReferenceFiguresSchema.optional(),
});

export type Reference = z.infer<typeof ReferenceSchema>;

/** Multiples of the reference service's figures. */
const TimesSchema = z.object({ p50: z.number(), p95: z.number(), p99: z.number() });
export const RelativeSchema = z.object({
  /** The knee over what the reference reached in turns with the search; null when one of them was not sought. */
  knee: z.number().nullable(),
  /** Latency over the reference's latency, of all requests together and by task; null where nothing succeeded. */
  total: TimesSchema.nullable(),
  tasks: z.array(z.object({ name: z.string(), latency: TimesSchema.nullable() })),
});
export type Relative = z.infer<typeof RelativeSchema>;
