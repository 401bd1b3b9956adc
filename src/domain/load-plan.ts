import { z } from 'zod';
import { checkPlanReferences } from './load-references.ts';
import type { ReferenceFigures } from './load-result.ts';
import { LoadRequestSchema, LoadTaskSchema } from './load-request.ts';
import { LoadShapeSchema } from './load-shape.ts';
import type { LoadPhase } from './load-shape.ts';
import { chooseTasks, TagsSchema } from './load-tags.ts';
import { parseThreshold } from './load-threshold.ts';
import type { Threshold } from './load-threshold.ts';
import { DurationMs, RatePerSecond } from './units.ts';
import { SkillSchema, VisibilitySchema } from './verdict.ts';

/** How long a user waits after a task. `pacing` keeps task starts that far apart, however long a task takes. */
export type WaitTime =
  | { kind: 'constant'; ms: number }
  | { kind: 'between'; minMs: number; maxMs: number }
  | { kind: 'pacing'; periodMs: number };

const WAIT_KEYS = ['constant', 'between', 'constantPacing', 'constantThroughput'] as const;

const WaitTimeSchema = z
  .strictObject({
    constant: DurationMs.optional(),
    between: z.tuple([DurationMs, DurationMs]).optional(),
    constantPacing: DurationMs.optional(),
    /** Tasks per second and user. */
    constantThroughput: RatePerSecond.refine((rate) => rate > 0, 'expected a rate above 0').optional(),
  })
  .transform((keys, ctx): WaitTime => {
    const given = WAIT_KEYS.filter((key) => keys[key] !== undefined);
    if (given.length !== 1) {
      ctx.addIssue({ code: 'custom', message: `expected exactly one of ${WAIT_KEYS.join(', ')}` });
      return z.NEVER;
    }
    if (keys.between !== undefined) {
      const [minMs, maxMs] = keys.between;
      if (minMs > maxMs) {
        ctx.addIssue({ code: 'custom', path: ['between'], message: 'expected [shortest, longest]' });
      }
      return { kind: 'between', minMs, maxMs };
    }
    if (keys.constant !== undefined) {
      return { kind: 'constant', ms: keys.constant };
    }
    return { kind: 'pacing', periodMs: keys.constantPacing ?? 1000 / (keys.constantThroughput ?? 1) };
  });

const UserSchema = z.strictObject({
  name: z.string().min(1).max(80),
  weight: z.number().int().min(1).max(10_000).default(1),
  /** So many of these whatever the weights say; they are spawned first. */
  fixedCount: z.number().int().min(1).max(10_000).optional(),
  waitTime: WaitTimeSchema.prefault({ constant: '0s' }),
  onStart: z.array(LoadRequestSchema).default([]),
  onStop: z.array(LoadRequestSchema).default([]),
  tasks: z.array(LoadTaskSchema).min(1),
});
export type LoadUser = z.output<typeof UserSchema>;

/** One graded limit, as its author writes it. */
export const LoadThresholdSchema = z
  .strictObject({
    that: z.string(),
    /** Overrides `load/<slug of that>`. */
    id: z
      .string()
      .max(200)
      .regex(/^[\w-]+(?:[./][\w-]+)*$/, 'expected an id such as "load/follow-is-fast"')
      .optional(),
    points: z.number().min(0).default(1),
    skill: SkillSchema.default('engineering'),
    visibility: VisibilitySchema.optional(),
  })
  .transform((keys, ctx): Omit<LoadThreshold, 'visibility'> & Pick<typeof keys, 'visibility'> => {
    const parsed = parseThreshold(keys.that);
    if (!parsed.ok) {
      ctx.addIssue({ code: 'custom', path: ['that'], message: parsed.message });
      return z.NEVER;
    }
    return { ...keys, id: keys.id ?? `load/${slugOf(keys.that)}`, threshold: parsed.threshold };
  });

/** One graded limit of a plan. */
export interface LoadThreshold {
  id: string;
  that: string;
  points: number;
  skill: z.output<typeof SkillSchema>;
  visibility: z.output<typeof VisibilitySchema>;
  threshold: Threshold;
}

/** A load plan file (`hidden/load.yaml`), as its author writes it. `resolveLoadPlan` makes a `LoadPlan` of it. */
export const LoadPlanSchema = z
  .strictObject({
    /** The generator: ours. A plan for Locust is another document: see locust-plan.ts. */
    engine: z.enum(['assay', 'locust']).default('assay'),
    visibility: VisibilitySchema.default('hidden'),
    /** For one exchange, where the request names none. */
    timeout: DurationMs.refine((ms) => ms > 0 && ms <= 60_000, 'expected at most 60s').prefault('10s'),
    /** Most users that an arrival rate may grow to; each has one connection. */
    maxUsers: z.number().int().min(1).max(8000).default(1000),
    users: z.array(UserSchema).min(1),
    /** Only tasks with one of these tags, and none with one of those. */
    tags: TagsSchema.default([]),
    excludeTags: TagsSchema.default([]),
    shape: LoadShapeSchema,
    thresholds: z.array(LoadThresholdSchema).min(1),
    /** Other shapes under the same thresholds: `demo` is a short one. Their tags stand instead of the plan's. */
    profiles: z
      .record(
        z.string(),
        z.strictObject({
          shape: LoadShapeSchema,
          tags: TagsSchema.optional(),
          excludeTags: TagsSchema.optional(),
        }),
      )
      .default({}),
  })
  .superRefine((plan, ctx) => {
    // Parts with mistakes of their own may not have their final shape yet.
    const parts = ['users', 'thresholds', 'tags', 'excludeTags', 'shape', 'profiles'];
    if (!ctx.issues.some(({ path }) => parts.includes(String(path?.[0])))) {
      checkPlanReferences(plan, (path, message) =>
        ctx.addIssue({ code: 'custom', path: [...path], message }),
      );
    }
  });
export type LoadPlanFile = z.output<typeof LoadPlanSchema>;

/** A plan ready to run. Plain data: it goes to the load grader as JSON. */
export interface LoadPlan {
  /** Path inside the bundle, "hidden/load.yaml". */
  file: string;
  timeoutMs: number;
  maxUsers: number;
  users: LoadUser[];
  shape: LoadPhase[];
  thresholds: LoadThreshold[];
  /** By name: shapes, and the users where others than the plan's are chosen. */
  profiles: Record<string, { shape: LoadPhase[]; users?: LoadUser[] }>;
  /** Added by the host for the run: what the reference service reached, and the CPUs of the service. */
  reference?: ReferenceFigures;
  serviceCpus?: number[];
}

/** Decides the visibility of every threshold of the plan read from `file`. */
export function resolveLoadPlan(file: string, plan: LoadPlanFile): LoadPlan {
  const { visibility, timeout: timeoutMs, maxUsers, users, tags, excludeTags } = plan;
  const profiles = Object.entries(plan.profiles).map(([name, profile]) => {
    const own = profile.tags !== undefined || profile.excludeTags !== undefined;
    const choice = { tags: profile.tags ?? tags, excludeTags: profile.excludeTags ?? excludeTags };
    return [
      name,
      { shape: profile.shape.flat(), ...(own && { users: chooseTasks(users, choice) }) },
    ] as const;
  });
  return {
    file,
    timeoutMs,
    maxUsers,
    users: chooseTasks(users, { tags, excludeTags }),
    shape: plan.shape.flat(),
    thresholds: plan.thresholds.map((threshold) => ({
      ...threshold,
      visibility: threshold.visibility ?? visibility,
    })),
    profiles: Object.fromEntries(profiles),
  };
}

/** The plan with the shape and the users of `profile`; undefined when it has no such profile. */
export function withProfile(plan: LoadPlan, profile: string): LoadPlan | undefined {
  const chosen = Object.hasOwn(plan.profiles, profile) ? plan.profiles[profile] : undefined;
  return chosen && { ...plan, shape: chosen.shape, users: chosen.users ?? plan.users };
}

/** What a plan has to know of the reference service beforehand: `rate` is its requests per second and its latency. */
export type ReferenceNeed = 'nothing' | 'latency' | 'rate';

/** Depends on which thresholds are multiples of the reference's figures; one on a knee that is not sought is skipped. */
export function referenceNeed({ thresholds, shape }: Pick<LoadPlan, 'thresholds' | 'shape'>): ReferenceNeed {
  const metrics = relativeMetrics({ thresholds, shape });
  if (metrics.includes('rps')) {
    return 'rate';
  }
  return metrics.length > 0 ? 'latency' : 'nothing';
}

/** Whether the reference is to be measured in turns with the search for the knee. */
export function needsTurns(plan: Pick<LoadPlan, 'thresholds' | 'shape'>): boolean {
  return relativeMetrics(plan).includes('knee');
}

function relativeMetrics({
  thresholds,
  shape,
}: Pick<LoadPlan, 'thresholds' | 'shape'>): Threshold['metric'][] {
  const seeksKnee = shape.some(({ kind }) => kind === 'knee');
  return thresholds
    .filter(({ threshold }) => threshold.unit === 'x' && (threshold.metric !== 'knee' || seeksKnee))
    .map(({ threshold }) => threshold.metric);
}

/** The names that requests count under, those of tasks first. */
export function requestNames(users: readonly LoadUser[]): string[] {
  return [
    ...new Set(
      [
        ...users.flatMap((user) => user.tasks.flatMap(({ steps }) => steps)),
        ...users.flatMap((user) => [...user.onStart, ...user.onStop]),
      ].map(({ name }) => name),
    ),
  ];
}

/** The ids of a plan's checks, in order. */
export function loadCheckIds(plan: Pick<LoadPlan, 'thresholds'>): string[] {
  return plan.thresholds.map((threshold) => threshold.id);
}

/** The measurement after the test is given up when it takes longer. */
export const REFERENCE_AGAIN_MS = 60_000;

/**
 * Longest time the generator may need, ms: that of the test and, where there are limits relative to it, of another
 * measurement of the reference service.
 */
export function loadPlanBudgetMs(plan: LoadPlan): number {
  return loadTestMs(plan) + (referenceNeed(plan) === 'nothing' ? 0 : REFERENCE_AGAIN_MS);
}

/**
 * Longest time that the service is needed, ms: all phases with the reference's turns in the search for the knee, the wait
 * for the last answers, start and end.
 */
export function loadTestMs(plan: LoadPlan): number {
  const turns = needsTurns(plan);
  const phasesMs = plan.shape.reduce(
    (sum, { kind, durationMs }) => sum + durationMs * (turns && kind === 'knee' ? 2 : 1),
    0,
  );
  return phasesMs + plan.shape.length * PREPARE_MS + plan.timeoutMs + START_AND_END_MS;
}

/** Longest time that users get to begin before the clock of an open phase starts. */
export const PREPARE_MS = 2000;
const START_AND_END_MS = 10_000;

/** The `plan` of the load grader's input. The host has validated and resolved it. */
export const ResolvedLoadPlanSchema = z.custom<LoadPlan>(
  (plan) =>
    z
      .looseObject({
        file: z.string(),
        timeoutMs: z.number(),
        maxUsers: z.number(),
        users: z.array(z.looseObject({ name: z.string(), tasks: z.array(z.unknown()) })).min(1),
        shape: z.array(z.looseObject({ kind: z.string(), durationMs: z.number() })).min(1),
        thresholds: z.array(z.looseObject({ id: z.string() })),
      })
      .safeParse(plan).success,
  'expected a resolved load plan',
);

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, '-')
    .replaceAll(/^-|-$/g, '')
    .replaceAll('.', '-');
}
