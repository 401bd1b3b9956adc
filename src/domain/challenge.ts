import { z } from 'zod';
import type { ApiSuite } from './api-suite.ts';
import type { ContractPlan } from './contract-plan.ts';
import type { LoadPlan } from './load-plan.ts';
import type { LocustPlan } from './locust-plan.ts';
import { DurationMs, SizeBytes } from './units.ts';
import { SkillSchema, VerdictSchema, VisibilitySchema } from './verdict.ts';

const Slug = z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'expected lower-case words joined by "-"');
const RelativePath = z
  .string()
  .regex(/^(?!\/)(?!.*(^|\/)\.\.(\/|$))[\w./*-]+$/, 'expected a path inside the bundle, without ".."');

export const RuntimeNameSchema = z.enum(['node', 'python', 'go']);
export type RuntimeName = z.infer<typeof RuntimeNameSchema>;

const BuildSchema = z.strictObject({
  modes: z
    .array(z.enum(['runtime']))
    .min(1)
    .default(['runtime']),
  runtimes: z.array(RuntimeNameSchema).min(1).default(['node', 'python', 'go']),
  network: z.enum(['registries', 'none']).default('registries'),
  limits: z
    .strictObject({
      cpus: z.number().positive().default(2),
      memory: SizeBytes.prefault('2GiB'),
      pids: z.number().int().positive().default(512),
      disk: SizeBytes.prefault('2GiB'),
      wall: DurationMs.prefault('5m'),
    })
    .prefault({}),
});

const ServiceSchema = z.strictObject({
  port: z.number().int().min(1).max(65_535).default(8080),
  ready: z
    .strictObject({ path: z.string().startsWith('/').default('/health'), within: DurationMs.prefault('30s') })
    .prefault({}),
  limits: z
    .strictObject({
      cpus: z.number().positive().default(1),
      memory: SizeBytes.prefault('512MiB'),
      pids: z.number().int().positive().default(256),
      files: z.number().int().positive().default(8192),
      wall: DurationMs.prefault('15m'),
    })
    .prefault({}),
  data: z.strictObject({ path: z.string().startsWith('/').default('/data'), size: SizeBytes }).optional(),
  /** Databases beside the service, each fresh in every stage. */
  uses: z
    .array(z.enum(['postgres', 'redis']))
    .refine((names) => new Set(names).size === names.length, 'expected each at most once')
    .default([]),
});

const Weight = z.number().positive();

/** What a candidate's view of a report holds beyond the checks whose visibility allows them. */
export const FeedbackSchema = z.strictObject({
  /** Of hidden checks: nothing, how many passed, their names and outcome, or everything. */
  api: z.enum(['none', 'counts', 'names', 'full']).default('counts'),
  load: z.enum(['none', 'summary', 'full']).default('summary'),
  /** `all` adds the service's log, in which hidden inputs may show. */
  logs: z.enum(['none', 'build', 'all']).default('build'),
});
export type Feedback = z.infer<typeof FeedbackSchema>;

const AttemptsSchema = z.strictObject({
  max: z.number().int().min(1).max(1000).default(3),
  window: DurationMs.prefault('72h'),
  dryRuns: z.number().int().min(0).max(1000).default(20),
  late: z.enum(['refuse', 'accept-marked']).default('refuse'),
});

/** One thing that reviewers score by hand, from 0 to 4. */
export const RubricItemSchema = z.strictObject({
  id: Slug,
  title: z.string().min(1).max(200),
  about: z.string().max(2000).optional(),
});
export type RubricItem = z.infer<typeof RubricItemSchema>;

const ContractStageSchema = z.strictObject({
  weight: Weight,
  openapi: RelativePath,
  /** Past either of them only what every check needs is still sent. */
  budget: z
    .strictObject({
      requests: z.number().int().min(1).max(10_000).default(300),
      time: DurationMs.prefault('5s'),
    })
    .prefault({}),
  /** Sent with every request, such as credentials. */
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected a header name'), z.string())
    .default({}),
  /** Ids of checks that do not fit this document. */
  leaveOut: z.array(z.string()).default([]),
});

/** A grader of the author's own: an image that the engine has, and what of it is known beforehand. */
const OwnGraderSchema = z.strictObject({
  image: z
    .string()
    .max(255)
    .regex(/^[a-z0-9][\w.:/@-]*$/, 'expected an image as the engine names it: "team/grader:3"'),
  /** Run instead of the image's own command. */
  command: z.array(z.string().min(1)).min(1),
  /** Of the bundle, put under /input. */
  files: z.array(RelativePath).default([]),
  deadline: DurationMs.prefault('5m'),
  limits: z
    .strictObject({
      cpus: z.number().positive().default(1),
      memory: SizeBytes.prefault('512MiB'),
      pids: z.number().int().positive().default(256),
      files: z.number().int().positive().default(4096),
    })
    .prefault({}),
  /** What it is to report; more may come, less counts as not run. */
  checks: z
    .array(
      z.strictObject({
        id: z
          .string()
          .regex(/^[a-z0-9]+(-[a-z0-9]+)*\/[\w./-]+$/, 'expected an id such as "orders/can-be-placed"'),
        name: z.string().min(1).max(300),
        points: z.number().positive().default(1),
        skill: SkillSchema.default('api-design'),
        visibility: VisibilitySchema.default('hidden'),
      }),
    )
    .default([]),
});

/** `challenge.yaml`, apiVersion assay/v1. */
export const ChallengeFileSchema = z.strictObject({
  apiVersion: z.literal('assay/v1'),
  slug: Slug,
  title: z.string().min(1).max(200),
  blind: z.boolean().default(false),
  kind: z.enum(['service']).default('service'),
  build: BuildSchema.prefault({}),
  service: ServiceSchema.prefault({}),
  stages: z
    .strictObject({
      api: z.strictObject({ weight: Weight, suites: z.array(RelativePath).min(1) }).optional(),
      contract: ContractStageSchema.optional(),
      resilience: z.strictObject({ weight: Weight, suites: z.array(RelativePath).min(1) }).optional(),
      load: z.strictObject({ weight: Weight, plan: RelativePath }).optional(),
      custom: z.strictObject({ weight: Weight, graders: z.array(OwnGraderSchema).min(1) }).optional(),
    })
    .refine(
      (stages) => Object.values(stages).some(Boolean),
      'expected at least one stage: api, contract, resilience, load or custom',
    ),
  pass: z.strictObject({ score: z.number().min(0).max(100) }).default({ score: 70 }),
  feedback: z.strictObject({ candidate: FeedbackSchema.prefault({}) }).prefault({}),
  attempts: AttemptsSchema.prefault({}),
  rubric: z
    .array(RubricItemSchema)
    .max(50)
    .refine((items) => new Set(items.map(({ id }) => id)).size === items.length, 'expected every id once')
    .default([]),
});
export type ChallengeFile = z.infer<typeof ChallengeFileSchema>;

export type OwnGrader = Omit<z.infer<typeof OwnGraderSchema>, 'files'> & { files: BundleFile[] };

/** `expect.yaml` beside a sample submission. */
export const ExpectationSchema = z.strictObject({
  /** What this submission gets wrong, in one sentence. */
  about: z.string().optional(),
  verdict: VerdictSchema,
  /** Check ids that must not pass. */
  loses: z.array(z.string()).default([]),
  /** Check ids that may or may not pass (timing). */
  mayLose: z.array(z.string()).default([]),
  /** Sum of the run when it ends before any check: BUILD_FAILED, NOT_READY, … */
  failure: z.string().optional(),
});
export type Expectation = z.infer<typeof ExpectationSchema>;

/** A file of the bundle, as it goes to a grader: read when the bundle was checked, so that both see the same. */
export interface BundleFile {
  /** Inside the bundle, "hidden/locustfile.py"; the grader finds it under /input/. */
  path: string;
  content: Uint8Array;
}

/** A bundle that was read, validated and named by its digest. */
export interface Challenge {
  file: ChallengeFile;
  /** "sha256:…" over the files that grading depends on (challenge.yaml, openapi.yaml, hidden/). */
  digest: string;
  directory: string;
  /** Of the api stage. */
  suites: ApiSuite[];
  contract: ContractPlan | undefined;
  /** Of the resilience stage, in the same language. */
  resilience: ApiSuite[];
  load: LoadPlan | undefined;
  /** Instead of `load` where the plan says `engine: locust`. */
  locust?: { plan: LocustPlan; files: BundleFile[] } | undefined;
  /** Graders of the custom stage, with their files. */
  custom?: OwnGrader[] | undefined;
}
