import { z } from 'zod';
import { ExitReportSchema } from './exit-report.ts';
import { CheckSchema, EvidenceSchema, MetricSchema, SeriesSchema } from './grader-protocol.ts';
import {
  KneeSchema,
  LatencySchema,
  ReferenceSchema,
  RelativeSchema,
  ThresholdResultSchema,
} from './load-result.ts';
import { BlameSchema, SkillSchema, VerdictSchema } from './verdict.ts';

/** Why a run or a stage could not go on, or what went wrong in it. */
const FailureSchema = z.object({
  /** BUILD_FAILED, BUILD_TIMEOUT, BUILD_OOM, BUILD_DISK, NO_START_COMMAND, START_FAILED, NOT_READY, … */
  code: z.string(),
  blame: BlameSchema,
  /** One plain sentence for the candidate. */
  message: z.string(),
  /** What to do about it. */
  hint: z.string().optional(),
  exit: ExitReportSchema.optional(),
  /** Last lines of the log that matters, untrusted text. */
  log: z.string().optional(),
});
export type Failure = z.infer<typeof FailureSchema>;

const StageStatusSchema = z.enum(['completed', 'failed', 'errored', 'inconclusive', 'skipped']);

const LoadTaskSchema = z.object({
  name: z.string(),
  requests: z.number().int(),
  failures: z.number().int(),
  requestsPerSecond: z.number(),
  /** Intended start to end: what a user would have waited, without the generator's own lateness. Successful requests only. */
  latency: LatencySchema.nullable(),
  /** Real send to end, successful requests only: what a closed-loop tool would show. */
  serviceTime: LatencySchema.nullable(),
  /** Intended start to end of failed requests. */
  failureLatency: LatencySchema.nullable(),
  /** Error text → count, at most 20 kinds. */
  errors: z.array(z.object({ message: z.string(), count: z.number().int() })),
});
export type LoadTask = z.infer<typeof LoadTaskSchema>;

/** What the load grader hands over as its `result`. */
export const LoadResultSchema = z.object({
  /** What made the load; our own generator when absent. */
  engine: z.enum(['assay', 'locust']).optional(),
  /** What a reader must know about how the figures came about. */
  remarks: z.array(z.string()).optional(),
  seed: z.string(),
  durationMs: z.number(),
  /** The phases that ran: "warm-up 5s 10 users", … with their start and end in seconds. */
  phases: z.array(
    z.object({
      label: z.string(),
      fromS: z.number(),
      toS: z.number(),
      /** Right answers per second while it ran, those of a warm-up too; absent for the search for the knee. */
      rate: z.number().optional(),
    }),
  ),
  total: LoadTaskSchema,
  tasks: z.array(LoadTaskSchema),
  /** Requests that the plan scheduled and the generator never sent. */
  unsent: z.number().int(),
  thresholds: z.array(ThresholdResultSchema),
  /** Successful requests together, by percentile: intended start to end, and real send to end, ms. */
  distribution: z.array(z.object({ percent: z.number(), waited: z.number(), served: z.number() })).optional(),
  /** Per second: users, requests/s, failures/s, p50, p95, p99 (ms), candidate cpu (ratio of one CPU), memory (bytes). */
  series: z.array(SeriesSchema),
  generator: z.object({
    /** 99th percentile of how late requests left against their schedule, ms. */
    schedulingLagP99Ms: z.number(),
    /** CPU time over wall time of the generator process, 1 = one whole CPU. */
    cpuRatio: z.number(),
    eventLoopDelayP99Ms: z.number(),
    /** 99th percentile of half the time in which an answer came unseen, ms: how well its time is known. */
    answerTimeErrorP99Ms: z.number().optional(),
    /** Planned arrivals that the generator itself never came to. */
    droppedArrivals: z.number().int().optional(),
    /** Share of the generator's CPUs that others used, the host's own host included; null where it cannot be known. */
    othersCpuRatio: z.number().nullable().optional(),
  }),
  /** Share of the service's CPUs that others than it used, 0..1; null where it cannot be known. */
  interference: z.number().nullable().optional(),
  knee: KneeSchema.optional(),
  reference: ReferenceSchema.optional(),
  relative: RelativeSchema.optional(),
});
export type LoadResult = z.infer<typeof LoadResultSchema>;

const StageReportSchema = z.object({
  name: z.string(),
  weight: z.number(),
  status: StageStatusSchema,
  /** 0..1 over passed and failed checks; null when nothing was measured. */
  score: z.number().nullable(),
  /** Sums over passed and failed checks; both 0 when the stage was not measured. */
  points: z.number(),
  maxPoints: z.number(),
  /** Points that could not be measured through no fault of the candidate; left out of both sums. */
  unmeasuredPoints: z.number(),
  durationMs: z.number(),
  checks: z.array(CheckSchema),
  metrics: z.array(MetricSchema),
  load: LoadResultSchema.optional(),
  failure: FailureSchema.optional(),
  /** Why the grader could not measure properly, for the status `inconclusive`. */
  inconclusive: z.string().optional(),
  /** The seed of the stage's random choices. */
  seed: z.string(),
  /** How often the service had to be started again after a crash. */
  crashes: z.number().int(),
});
export type StageReport = z.infer<typeof StageReportSchema>;

const SkillReportSchema = z.object({
  skill: SkillSchema,
  title: z.string(),
  /** 0..100 over the checks of this skill; null when none was measured. */
  score: z.number().nullable(),
  points: z.number(),
  maxPoints: z.number(),
  summary: z.string(),
});
export type SkillReport = z.infer<typeof SkillReportSchema>;

/** One item of the discussion brief. */
const BriefItemSchema = z.object({
  /** Where its evidence is in the report: "check:<id>", "stage:<name>", "build" or "start". */
  ref: z.string(),
  /** Ids of all checks that this point stands for. */
  checks: z.array(z.string()),
  /** How much of the run's score it cost, 0..100; 0 on strong points. */
  lostScore: z.number(),
  skill: SkillSchema,
  headline: z.string(),
  detail: z.string(),
  /** Only on weak points. */
  question: z.string().optional(),
  evidence: EvidenceSchema.optional(),
});
export type BriefItem = z.infer<typeof BriefItemSchema>;

export const ReportSchema = z.object({
  reportVersion: z.literal(1),
  run: z.object({
    id: z.string(),
    startedAt: z.string(),
    finishedAt: z.string(),
    durationMs: z.number(),
    seed: z.string(),
    /** Only suites marked visible ran. */
    visibleOnly: z.boolean(),
    timeline: z.array(z.object({ phase: z.string(), startMs: z.number(), durationMs: z.number() })),
  }),
  challenge: z.object({ slug: z.string(), title: z.string(), digest: z.string() }),
  submission: z.object({
    digest: z.string(),
    files: z.number().int(),
    bytes: z.number().int(),
    runtime: z.string().nullable(),
    decidedBy: z.string().nullable(),
    start: z.array(z.string()).nullable(),
    notices: z.array(z.string()),
  }),
  environment: z.object({
    assay: z.string(),
    engine: z.string(),
    runtime: z.string(),
    storageDriver: z.string(),
    cgroupVersion: z.string(),
    kernel: z.string(),
    cpus: z.number(),
    memoryBytes: z.number(),
    /** Name → image id. */
    images: z.record(z.string(), z.string()),
    limits: z.record(z.string(), z.union([z.number(), z.string()])),
  }),
  outcome: z.object({
    status: z.enum(['completed', 'errored', 'canceled']),
    verdict: VerdictSchema.nullable(),
    /**
     * 0..maxScore over measured stages, cut (not rounded up) to one decimal; the verdict uses the uncut value.
     * 0 when the candidate's work did not build or start; null when nothing could be measured.
     */
    score: z.number().nullable(),
    maxScore: z.number(),
    passScore: z.number(),
    /** What the score could be, had everything been measured; null when everything was. */
    scoreRange: z.object({ worst: z.number(), best: z.number() }).nullable(),
    /** One sentence. */
    summary: z.string(),
    failure: FailureSchema.optional(),
    /** Things of ours that were left out of the score. */
    remarks: z.array(z.string()),
  }),
  build: z
    .object({ cached: z.boolean(), durationMs: z.number(), log: z.string(), truncated: z.boolean() })
    .nullable(),
  service: z
    .object({
      readyMs: z.number().nullable(),
      log: z.string(),
      logTruncated: z.boolean(),
      logThrottled: z.boolean(),
      logBytes: z.number(),
    })
    .nullable(),
  stages: z.array(StageReportSchema),
  skills: z.array(SkillReportSchema),
  brief: z.object({ strongest: z.array(BriefItemSchema), weakest: z.array(BriefItemSchema) }),
});
export type Report = z.infer<typeof ReportSchema>;
