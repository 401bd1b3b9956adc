import { z } from 'zod';
import { EvidenceSchema } from './grader-protocol.ts';

/** A check that did not always come out the same on one reference. */
const FlakyCheckSchema = z.object({
  check: z.string(),
  reference: z.string(),
  failed: z.number().int(),
  runs: z.number().int(),
  /** Of one failure. */
  message: z.string(),
  evidence: EvidenceSchema.optional(),
});
export type FlakyCheck = z.infer<typeof FlakyCheckSchema>;

const ReferenceResultSchema = z.object({
  name: z.string(),
  /** Every run scored in full. */
  ok: z.boolean(),
  runs: z.number().int(),
  inFull: z.number().int(),
  /** False when some run could not be measured, which is ours; those runs say nothing. */
  measured: z.boolean(),
  /** What failed in every run that reached it, one sentence each; what failed in some stands under `flaky`. */
  problems: z.array(z.string()),
});
export type ReferenceResult = z.infer<typeof ReferenceResultSchema>;

/** A sample with an expect.yaml. */
const SampleResultSchema = z.object({
  name: z.string(),
  /** It came out exactly as its expect.yaml says. */
  ok: z.boolean(),
  /** False when it could not be measured in full, which is ours; the differences may come from that. */
  measured: z.boolean(),
  /** Ids of the checks it lost. */
  lost: z.array(z.string()),
  /** One sentence each. */
  differences: z.array(z.string()),
});
export type SampleResult = z.infer<typeof SampleResultSchema>;

/** A service that differs from a reference in one thing. */
const MutantSchema = z.object({
  id: z.string(),
  /** What the client asks for: "GET /links/{code} → 410". */
  operation: z.string(),
  /** "drop-field", "stale-read" … */
  operator: z.string(),
  /** What is wrong with this service, in one sentence. */
  about: z.string(),
});

const MutationResultSchema = z.object({
  killed: z.number().int(),
  /** Without the meaningless ones. */
  total: z.number().int(),
  /** No check noticed them. */
  survivors: z.array(MutantSchema.extend({ advice: z.string() })),
  /** Differences that no client may rely on, each with the reason. */
  meaningless: z.array(MutantSchema.extend({ reason: z.string() })),
  /** The reference whose answers were changed; null when nothing was tried. */
  reference: z.string().nullable(),
  /** Why nothing was tried. */
  skipped: z.string().optional(),
  durationMs: z.number(),
});

/** What checking a challenge found: whether its spec can be trusted to tell good work from nearly good work. */
export const CheckReportSchema = z.object({
  /** Blessed: nothing under `refusals` and nothing under `trouble`. */
  ok: z.boolean(),
  challenge: z.object({ slug: z.string(), digest: z.string() }),
  stages: z.array(z.string()),
  durationMs: z.number(),
  references: z.array(ReferenceResultSchema),
  broken: z.array(SampleResultSchema),
  /** Samples that are unusual and right. */
  sound: z.array(SampleResultSchema),
  mutation: MutationResultSchema,
  flaky: z.array(FlakyCheckSchema),
  /** Which samples lost which check, in the order of the challenge. */
  coverage: z.array(z.object({ check: z.string(), exercisedBy: z.array(z.string()) })),
  /** Checks that no sample lost: nothing shows that they can fail. */
  unexercised: z.array(z.string()),
  /** Why the spec is not blessed, one sentence each. */
  refusals: z.array(z.string()),
  /** What could not be found out through no fault of the spec. */
  trouble: z.array(z.string()),
});
export type CheckReport = z.infer<typeof CheckReportSchema>;
