import { z } from 'zod';
import { LoadThresholdSchema } from './load-plan.ts';
import type { LoadThreshold } from './load-plan.ts';
import { TagsSchema } from './load-tags.ts';
import { DurationMs, RatePerSecond } from './units.ts';
import { VisibilitySchema } from './verdict.ts';

const MAX_RUN_MS = 30 * 60_000;

/** The digest of a bundle covers hidden/, and candidates never see it. */
const HiddenPath = z
  .string()
  .regex(/^hidden\/(?!.*(^|\/)\.\.(\/|$))[\w./*-]+$/, 'expected a path under hidden/, without ".."');
const Users = z.number().int().min(1).max(10_000);
const SpawnRate = RatePerSecond.refine((rate) => rate > 0, 'expected a rate above 0');
const RunTime = DurationMs.refine((ms) => ms > 0 && ms <= MAX_RUN_MS, 'expected at most 30m');

const SizesSchema = z.strictObject({
  users: Users.optional(),
  spawnRate: SpawnRate.optional(),
  runTime: RunTime.optional(),
  warmUp: DurationMs.optional(),
});
type LocustSizes = z.output<typeof SizesSchema>;

/** A load plan file that leaves the load to Locust and the author's own locustfile. */
export const LocustPlanSchema = z
  .strictObject({
    engine: z.literal('locust'),
    /** Path inside the bundle. */
    locustfile: HiddenPath.endsWith('.py', 'expected a Python file, such as "hidden/locustfile.py"'),
    /** More files of the bundle that it reads or imports, as paths or patterns. */
    files: z.array(HiddenPath).default([]),
    visibility: VisibilitySchema.default('hidden'),
    /** Not needed where the locustfile has a LoadTestShape. */
    users: Users.optional(),
    /** Users per second; all at once when absent. */
    spawnRate: SpawnRate.optional(),
    /** The test ends then, whatever a shape says. */
    runTime: RunTime,
    /** Requests that began before are left out of the results. */
    warmUp: DurationMs.prefault('0s'),
    /** Locust processes that share the users; one for each CPU that the grader has when absent. */
    processes: z.number().int().min(1).max(32).optional(),
    /** Only tasks with one of these tags, and none with one of those. */
    tags: TagsSchema.default([]),
    excludeTags: TagsSchema.default([]),
    thresholds: z.array(LoadThresholdSchema).min(1),
    profiles: z.record(z.string(), SizesSchema).default({}),
  })
  .superRefine((plan, ctx) => {
    const sizes: { path: string[]; size: LocustSizes }[] = [
      { path: [], size: {} },
      ...Object.entries(plan.profiles).map(([name, size]) => ({ path: ['profiles', name], size })),
    ];
    for (const { path, size } of sizes) {
      if ((size.warmUp ?? plan.warmUp) >= (size.runTime ?? plan.runTime)) {
        const message = 'the warm-up takes the whole run time: nothing would be measured';
        ctx.addIssue({ code: 'custom', path, message });
      }
    }
    for (const [index, { threshold }] of plan.thresholds.entries()) {
      if (threshold.metric === 'knee' || threshold.unit === 'x') {
        const message = "a test by Locust has no knee and no reference; that takes assay's own generator";
        ctx.addIssue({ code: 'custom', path: ['thresholds', index, 'that'], message });
      }
    }
    const ids = plan.thresholds.map(({ id }) => id);
    for (const [index, id] of ids.entries()) {
      if (ids.indexOf(id) !== index) {
        const message = `another threshold has the same id "${id}"; give one an "id"`;
        ctx.addIssue({ code: 'custom', path: ['thresholds', index, 'that'], message });
      }
    }
  });
type LocustPlanFile = z.output<typeof LocustPlanSchema>;

/** A plan ready to run. Plain data: it goes to the Locust grader as JSON. */
export interface LocustPlan {
  /** Path of the plan inside the bundle. */
  file: string;
  locustfile: string;
  users: number | undefined;
  spawnPerSecond: number | undefined;
  runTimeMs: number;
  warmUpMs: number;
  processes: number | undefined;
  tags: string[];
  excludeTags: string[];
  thresholds: LoadThreshold[];
}

/** The plan read from `file` with the sizes of one of its profiles; undefined when it has no such profile. */
export function resolveLocustPlan(
  file: string,
  plan: LocustPlanFile,
  profile: string | undefined,
): LocustPlan | undefined {
  const chosen: LocustSizes | undefined = profile === undefined ? {} : ownValue(plan.profiles, profile);
  if (!chosen) {
    return undefined;
  }
  const { locustfile, processes, tags, excludeTags, visibility } = plan;
  return {
    file,
    locustfile,
    users: chosen.users ?? plan.users,
    spawnPerSecond: chosen.spawnRate ?? plan.spawnRate,
    runTimeMs: chosen.runTime ?? plan.runTime,
    warmUpMs: chosen.warmUp ?? plan.warmUp,
    processes,
    tags,
    excludeTags,
    thresholds: plan.thresholds.map((one) => ({ ...one, visibility: one.visibility ?? visibility })),
  };
}

function ownValue<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** Longest time that Locust may need, ms: its start, the run, the wait for users to end, and its reports. */
export function locustBudgetMs(plan: LocustPlan): number {
  return plan.runTimeMs + START_AND_END_MS;
}

/** Importing Locust takes seconds of CPU time for each process, on a CPU that others may want too. */
const START_AND_END_MS = 120_000;

/** The `plan` of the Locust grader's input. The host has validated and resolved it. */
export const ResolvedLocustPlanSchema = z.custom<LocustPlan>(
  (plan) =>
    z
      .looseObject({
        locustfile: z.string(),
        runTimeMs: z.number(),
        warmUpMs: z.number(),
        thresholds: z.array(z.looseObject({ id: z.string() })),
      })
      .safeParse(plan).success,
  'expected a resolved plan for Locust',
);
