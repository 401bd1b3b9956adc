import { z } from 'zod';
import { checkReferences, knownNames } from './api-suite-references.ts';
import { ExpectedSchema } from './api-suite-matcher.ts';
import { SuiteValueSchema } from './api-suite-value.ts';
import { STEP_KEYS, StepSchema } from './api-suite-step.ts';
import type { Step } from './api-suite-step.ts';
import type { JsonValue } from './json-value.ts';
import type { Skill, Visibility } from './verdict.ts';
import { SkillSchema, VisibilitySchema } from './verdict.ts';
import { DurationMs } from './units.ts';

const Tags = z.array(z.string().regex(/^[\w-]+$/, 'expected a word')).default([]);
const VariableName = z
  .string()
  .regex(
    /^(?!(?:random|index|target)$)[A-Za-z_]\w*$/,
    'expected a name such as "longUrl" (random, index, target are taken)',
  );

const TestSchema = z.strictObject({
  name: z.string().min(1).max(300),
  /** Overrides `<suite file>/<slug of the name>`. */
  id: z
    .string()
    .max(200)
    .regex(/^[\w-]+(?:[./][\w-]+)*$/, 'expected an id such as "links/create"')
    .optional(),
  points: z.number().min(0).default(1),
  visibility: VisibilitySchema.optional(),
  skill: SkillSchema.optional(),
  tags: Tags,
  /** Wall-clock budget of this check; the plan's default when absent. */
  timeout: DurationMs.optional(),
  /** Left out of the score when all of these hold after `setup`. */
  skipWhen: z.record(z.string(), ExpectedSchema).optional(),
  /** False: never made again with other data, for what holds only once in the life of a service. */
  secondPass: z.boolean().optional(),
  /** In a suite with `code` the steps are in its file. */
  steps: z.array(StepSchema).min(1).optional(),
});

const SuiteShape = z.strictObject({
  suite: z.string().min(1).max(300),
  visibility: VisibilitySchema.default('hidden'),
  skill: SkillSchema.default('api-design'),
  tags: Tags,
  /** Values for templates, made anew for every check from the seed. */
  vars: z.record(VariableName, SuiteValueSchema).default({}),
  /** Reuse connections within a check. Otherwise each request opens its own. */
  keepAlive: z.boolean().default(false),
  /** The host gives this suite a service of its own with empty data. */
  fresh: z.boolean().default(false),
  /** For all tests that do not say otherwise; a suite with data of its own goes without, unless it says so. */
  secondPass: z.boolean().optional(),
  /** Variables whose values no evidence may show. */
  secrets: z.array(VariableName).default([]),
  /** Steps before and after every test; those after run even when it failed, and decide nothing. */
  setup: z.array(StepSchema).default([]),
  teardown: z.array(StepSchema).default([]),
  /** A file of tests beside the suite, run by vitest; each of its tests is listed under `tests` by its title. */
  code: z
    .string()
    .regex(
      /^(?!\/)(?!.*\.\.)[\w./-]+\.test\.[cm]?[jt]s$/,
      'expected a file beside the suite, such as "paging.test.ts"',
    )
    .optional(),
  tests: z.array(TestSchema).min(1),
});

/** One suite file (`hidden/api/*.yaml`), as its author writes it. `resolveSuite` makes an `ApiSuite` of it. */
export const ApiSuiteSchema = SuiteShape.superRefine(checkCode).superRefine((suite, ctx) => {
  const places = new Map<string, number>();
  for (const [index, test] of suite.tests.entries()) {
    const id = test.id ?? slugOf(test.name);
    const earlier = places.get(id);
    const path = ['tests', index, test.id === undefined ? 'name' : 'id'];
    if (id === '') {
      ctx.addIssue({
        code: 'custom',
        path,
        message: 'no id can be made of this name; give the test an "id"',
      });
    } else if (earlier !== undefined) {
      ctx.addIssue({ code: 'custom', path, message: `tests[${earlier}] has the same id "${id}"` });
    }
    places.set(id, index);
  }
  for (const [index, name] of suite.secrets.entries()) {
    if (!knownNames(suite).has(name)) {
      const message = `no variable "${name}" is declared in vars or captured`;
      ctx.addIssue({ code: 'custom', path: ['secrets', index], message });
    }
  }
  checkReferences(suite, (path, message) => ctx.addIssue({ code: 'custom', path: [...path], message }));
});
export type ApiSuiteFile = z.output<typeof ApiSuiteSchema>;

const NOT_WITH_CODE = ['vars', 'setup', 'teardown', 'secrets'] as const;

/** Steps and code exclude each other. */
function checkCode(suite: z.output<typeof SuiteShape>, ctx: z.RefinementCtx): void {
  for (const [index, test] of suite.tests.entries()) {
    const path = ['tests', index, 'steps'];
    if (suite.code === undefined && test.steps === undefined) {
      ctx.addIssue({
        code: 'custom',
        path,
        message: 'missing: expected steps (or "code" at the top of the suite)',
      });
    } else if (suite.code !== undefined && test.steps !== undefined) {
      ctx.addIssue({ code: 'custom', path, message: `the steps of this test are in ${suite.code}` });
    }
  }
  const useless =
    suite.code === undefined ? [] : NOT_WITH_CODE.filter((key) => Object.keys(suite[key]).length > 0);
  for (const key of useless) {
    ctx.addIssue({
      code: 'custom',
      path: [key],
      message: `has no meaning beside "code"; write it in ${suite.code}`,
    });
  }
}

/** One check of a suite with everything decided. */
export interface ApiTest {
  id: string;
  name: string;
  points: number;
  visibility: Visibility;
  skill: Skill;
  tags: string[];
  /** Wall-clock budget, ms. */
  timeoutMs: number | undefined;
  skipWhen: Record<string, JsonValue> | undefined;
  /** False: left out of the second pass. */
  secondPass?: boolean;
  /** Where it stands in the file: "tests[3]". */
  at: string;
  /** Empty where the suite has `code`. */
  steps: Step[];
}

/** A suite ready to run: ids, points, visibility and skill of every test are decided. */
export interface ApiSuite {
  /** Path inside the bundle, "hidden/api/links.yaml". */
  file: string;
  suite: string;
  vars: Record<string, JsonValue>;
  keepAlive: boolean;
  fresh: boolean;
  /** Path of its file of tests inside the bundle, and all files of the bundle that go with it. */
  code?: { file: string; titles: string[]; files: { path: string; content: Uint8Array }[] };
  /** Variables whose values no evidence may show. */
  secrets?: string[];
  setup: Step[];
  teardown: Step[];
  tests: ApiTest[];
}

/** Decides ids, visibility, skill and tags of every test of the suite read from `file`. */
export function resolveSuite(file: string, suite: ApiSuiteFile): ApiSuite {
  const { vars, keepAlive, fresh, secrets, setup, teardown } = suite;
  const folder = file.slice(0, file.lastIndexOf('/') + 1);
  const code =
    suite.code === undefined
      ? {}
      : { code: { file: folder + suite.code, titles: suite.tests.map((test) => test.name), files: [] } };
  const tests = suite.tests.map((test, index) => ({
    id: test.id ?? `${suiteName(file)}/${slugOf(test.name)}`,
    name: test.name,
    points: test.points,
    visibility: test.visibility ?? suite.visibility,
    skill: test.skill ?? suite.skill,
    tags: [...new Set([...suite.tags, ...test.tags])],
    timeoutMs: test.timeout,
    skipWhen: test.skipWhen,
    secondPass: test.secondPass ?? suite.secondPass ?? !suite.fresh,
    at: `tests[${index}]`,
    steps: test.steps ?? [],
  }));
  return { file, suite: suite.suite, vars, keepAlive, fresh, secrets, setup, teardown, tests, ...code };
}

/** The ids of a suite's checks in order. That they are unique over all suites is for the caller to see. */
export function checkIds(suite: ApiSuite): string[] {
  return suite.tests.map((test) => test.id);
}

/** Every key an author may write in a suite, for "did you mean". */
export const API_SUITE_KEYS: readonly string[] = [
  ...new Set([...Object.keys(ApiSuiteSchema.shape), ...Object.keys(TestSchema.shape), ...STEP_KEYS]),
];

/** "hidden/api/links.yaml" becomes "links". */
function suiteName(file: string): string {
  return (file.split('/').at(-1) ?? file).replace(/\.ya?ml$/, '');
}

function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-');
  return slug.replaceAll(/^-|-$/g, '').slice(0, 100);
}

/** The `plan` of the api grader's input. Suites were validated and resolved by the host. */
export const ApiPlanSchema = z.object({
  suites: z.array(
    z.custom<ApiSuite>(
      (suite) =>
        z
          .looseObject({ file: z.string(), tests: z.array(z.looseObject({ id: z.string() })) })
          .safeParse(suite).success,
      'expected a resolved suite',
    ),
  ),
  /** A path whose GET changes nothing: asked after each check, so that a crash shows where it happened. */
  readyPath: z.string().startsWith('/').optional(),
  /** Wall-clock budget of a check that names none. */
  checkTimeoutMs: z.number().positive().default(30_000),
  /** Makes checks again with another seed, order and set of default headers. */
  secondPass: z.boolean().default(true),
  /** For one exchange, where the request names none. */
  requestTimeoutMs: z.number().positive().default(10_000),
});
export type ApiPlan = z.output<typeof ApiPlanSchema>;
