import { z } from 'zod';
import { ExpectedSchema, regexProblem } from './api-suite-matcher.ts';
import { RawStepSchema } from './api-suite-raw.ts';
import type { RawStep } from './api-suite-raw.ts';
import { SuiteValueSchema } from './api-suite-value.ts';
import { isJsonObject } from './json-value.ts';
import type { JsonValue } from './json-value.ts';
import { DurationMs, SizeBytes } from './units.ts';

/** At most this many requests at once: below the file limits of the grader and of any candidate. */
const MAX_PARALLEL = 500;
const MAX_REPEAT = 10_000;
const MAX_GENERATED_BYTES = 64 * 1024 * 1024;
/** What the bodies of parallel requests, or of their answers, may come to in the grader's memory. */
const MAX_BODIES_BYTES = 128 * 1024 * 1024;

/** Body keys of a request; at most one may be given. */
const BODY_KEYS = ['json', 'form', 'multipart', 'text', 'base64', 'bytes'] as const;
const FLOW_KEYS = ['parallel', 'repeat', 'retry'] as const;

const Scalar = z.custom<string | number | boolean>(
  (value) => ['string', 'number', 'boolean'].includes(typeof value),
  'expected text, a number or a boolean',
);
const HeaderValue = z.custom<string | number | readonly string[] | null>(
  (value) =>
    value === null ||
    ['string', 'number'].includes(typeof value) ||
    (Array.isArray(value) && value.every((item) => typeof item === 'string')),
  'expected text, a list of texts, or null to leave the header out',
);
const HeaderName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'expected a header name');
const Base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, 'expected base64');

const RequestLine = z
  .string()
  .regex(
    /^(?!CONNECT )[A-Z]{3,20} (?:\/|https?:\/\/|\$\{)\S*$/,
    'expected a method and a path, such as "GET /links"',
  );

const BytesBody = z
  .strictObject({
    repeat: z
      .strictObject({ text: z.string().min(1), times: z.number().int().min(1).max(MAX_GENERATED_BYTES) })
      .optional(),
    random: SizeBytes.optional(),
  })
  .superRefine((bytes, ctx) => {
    if ((bytes.repeat === undefined) === (bytes.random === undefined)) {
      ctx.addIssue({ code: 'custom', message: 'expected either repeat or random' });
    }
    const size =
      bytes.random ?? (bytes.repeat ? bytes.repeat.times * Buffer.byteLength(bytes.repeat.text) : 0);
    if (size > MAX_GENERATED_BYTES) {
      ctx.addIssue({ code: 'custom', message: `expected at most ${MAX_GENERATED_BYTES} bytes, got ${size}` });
    }
  });

const Part = z.strictObject({
  text: z.string().optional(),
  base64: Base64.optional(),
  filename: z.string().optional(),
  contentType: z.string().optional(),
});

const STATUS_RANGE = /^(?:[1-5]xx|[1-5]\d\d-[1-5]\d\d)$/;
const Status = z.custom<number | string | readonly (number | string)[]>((value) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every(isStatus);
}, 'expected a status such as 201, "2xx", "200-204", or a list of them');

function isStatus(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isInteger(value) && value >= 100 && value <= 599
    : typeof value === 'string' && STATUS_RANGE.test(value);
}

const JsonPath = z.string().startsWith('$', 'expected a JSONPath that begins with "$"');

const ExpectationsSchema = z.strictObject({
  status: Status.optional(),
  headers: z.record(HeaderName, ExpectedSchema).optional(),
  json: ExpectedSchema.optional(),
  jsonpath: z.record(JsonPath, ExpectedSchema).optional(),
  schema: z
    .custom<JsonValue>((value) => isJsonObject(value) || typeof value === 'boolean', 'expected a JSON Schema')
    .optional(),
  text: ExpectedSchema.optional(),
  bytes: z
    .strictObject({
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits')
        .optional(),
      length: ExpectedSchema.optional(),
    })
    .optional(),
  within: DurationMs.optional(),
  /** A connection that the service closes instead of answering is as good: for bodies it may refuse to read. */
  orClosed: z.literal(true).optional(),
});
export type Expectations = z.output<typeof ExpectationsSchema>;

const CAPTURE_SOURCE = /^(?:\$.*|status|text|header:[\w!#$%&'*+.^`|~-]+)$/s;
const CaptureFrom = z
  .string()
  .regex(CAPTURE_SOURCE, 'expected a JSONPath ("$.code"), "header:<name>", "status" or "text"');

const CaptureName = z
  .string()
  .regex(
    /^(?!(?:random|index|target)(?:\[\])?$)[A-Za-z_]\w*(?:\[\])?$/,
    'expected a name such as "code" or "codes[]"',
  );

/** `"$.code"`, or `{ from, matches }` to keep the first group of a regular expression. */
const CaptureSource = z.unknown().transform((value, ctx): { from: string; matches?: string } => {
  const parsed = typeof value === 'string' ? CaptureFrom.safeParse(value) : CaptureObject.safeParse(value);
  if (!parsed.success) {
    copyIssues(parsed.error, ctx);
    return z.NEVER;
  }
  return typeof parsed.data === 'string' ? { from: parsed.data } : parsed.data;
});
const CaptureObject = z.strictObject({
  from: CaptureFrom,
  matches: z.string().superRefine((pattern, ctx) => {
    const problem = regexProblem(pattern);
    if (problem) {
      ctx.addIssue({ code: 'custom', message: problem });
    }
  }),
});

/** One request and what is expected of its answer. */
const RequestFieldsSchema = z.strictObject({
  request: RequestLine,
  query: z
    .record(
      z.string(),
      z.custom<Scalar | Scalar[]>(
        (value) => (Array.isArray(value) ? value : [value]).every((item) => Scalar.safeParse(item).success),
        'expected text, a number, a boolean or a list of them',
      ),
    )
    .optional(),
  headers: z.record(HeaderName, HeaderValue).optional(),
  json: SuiteValueSchema.optional(),
  form: z.record(z.string(), Scalar).optional(),
  multipart: z.record(z.string(), Part).optional(),
  text: z.string().optional(),
  base64: Base64.optional(),
  bytes: BytesBody.optional(),
  /** For the whole exchange, from the first byte sent. */
  timeout: DurationMs.optional(),
  /** Bodies are cut here; a longer one fails the check. */
  maxBody: SizeBytes.optional(),
  /** Offers gzip, deflate and br, and decodes what comes. */
  decompress: z.literal(true).optional(),
  expect: ExpectationsSchema.optional(),
  capture: z.record(CaptureName, CaptureSource).optional(),
  parallel: z.number().int().min(1).max(MAX_PARALLEL).optional(),
  repeat: z.number().int().min(1).max(MAX_REPEAT).optional(),
  retry: z.strictObject({ within: DurationMs, every: DurationMs.prefault('200ms') }).optional(),
  /** How many of the parallel or repeated answers have which status: { "201": 1, "409": 49 }. */
  tally: z
    .record(
      z.string().regex(/^(?:[1-5]\d\d|[1-5]xx)$/, 'expected a status such as "201" or "5xx"'),
      ExpectedSchema,
    )
    .optional(),
});
type RequestFields = z.output<typeof RequestFieldsSchema>;

export const RequestStepSchema = RequestFieldsSchema.superRefine(checkBodies).superRefine(checkFlow);
export type RequestStep = z.output<typeof RequestStepSchema>;

function checkBodies(step: RequestFields, ctx: z.RefinementCtx): void {
  const [body, second] = BODY_KEYS.filter((key) => step[key] !== undefined);
  if (second) {
    const message = `the request already has a body in "${body}"`;
    ctx.addIssue({ code: 'custom', path: [second], message });
  }
  const parallel = step.parallel ?? 1;
  const together = parallel * Math.max(step.maxBody ?? 0, step.bytes?.random ?? 0);
  if (together > MAX_BODIES_BYTES) {
    const path = [step.maxBody === undefined ? 'bytes' : 'maxBody'];
    const message = `the bodies of ${parallel} requests may come to ${MAX_BODIES_BYTES} bytes together, not ${together}`;
    ctx.addIssue({ code: 'custom', path, message });
  }
}

function checkFlow(step: RequestFields, ctx: z.RefinementCtx): void {
  const [flow, second] = FLOW_KEYS.filter((key) => step[key] !== undefined);
  if (second) {
    ctx.addIssue({ code: 'custom', path: [second], message: `cannot be combined with "${flow}"` });
  }
  const many = flow === 'parallel' || flow === 'repeat';
  if (step.tally && !many) {
    ctx.addIssue({ code: 'custom', path: ['tally'], message: 'needs parallel or repeat' });
  }
  if (step.retry && !step.expect) {
    ctx.addIssue({ code: 'custom', path: ['retry'], message: 'needs expect: it retries until that holds' });
  }
  for (const name of many ? Object.keys(step.capture ?? {}) : []) {
    if (!name.endsWith('[]')) {
      const message = `each of several requests captures it; append with "${name}[]"`;
      ctx.addIssue({ code: 'custom', path: ['capture', name], message });
    }
  }
}

type Scalar = z.output<typeof Scalar>;
const AssertStepSchema = z.strictObject({
  assert: z
    .record(z.string(), ExpectedSchema)
    .refine((assertions) => Object.keys(assertions).length > 0, 'expected at least one assertion'),
});
export type AssertStep = z.output<typeof AssertStepSchema>;

const ServiceStepSchema = z.strictObject({
  service: z.enum(['restart', 'kill', 'stop', 'start', 'pause', 'resume']),
  /** For stop and restart: time between SIGTERM and SIGKILL. */
  grace: DurationMs.optional(),
  /** For stop and restart: having to be killed after the grace fails the check. */
  orderly: z.literal(true).optional(),
  /** For start and restart: being ready takes no longer. */
  readyWithin: DurationMs.optional(),
});
export type ServiceStep = z.output<typeof ServiceStepSchema>;

const SleepStepSchema = z.strictObject({ sleep: DurationMs });
export type SleepStep = z.output<typeof SleepStepSchema>;

/** Several steps, done `repeat` times in turn, by `parallel` workers at once, or for `each` element of a list. */
export interface GroupStep {
  steps: Step[];
  each?: string | undefined;
  parallel?: number | undefined;
  repeat?: number | undefined;
}
const GroupStepSchema: z.ZodType<GroupStep, unknown> = z
  .strictObject({
    steps: z.array(z.lazy(() => StepSchema)).min(1),
    parallel: z.number().int().min(1).max(MAX_PARALLEL).optional(),
    repeat: z.number().int().min(1).max(MAX_REPEAT).optional(),
    /** A template that is a list; steps see its elements as `${item}`. */
    each: z
      .string()
      .regex(/^\$\{[^}]+\}$/, 'expected a list such as "${codes}"')
      .optional(),
  })
  .refine(
    (group) => [group.parallel, group.repeat, group.each].filter((one) => one !== undefined).length === 1,
    'expected either parallel, repeat or each beside steps',
  );

/** Steps, while workers keep doing others. */
export interface WhileStep {
  while: Step[];
  workers: number;
  keep: Step[];
}
const WhileStepSchema: z.ZodType<WhileStep, unknown> = z.strictObject({
  while: z.array(z.lazy(() => StepSchema)).min(1),
  workers: z.number().int().min(1).max(MAX_PARALLEL).default(8),
  keep: z.array(z.lazy(() => StepSchema)).min(1),
});

/** Steps over which the memory of the service may not grow by more. */
export interface MemoryStep {
  memory: { growsAtMost: number };
  over: Step[];
}
const MemoryStepSchema: z.ZodType<MemoryStep, unknown> = z.strictObject({
  memory: z.strictObject({ growsAtMost: SizeBytes }),
  over: z.array(z.lazy(() => StepSchema)).min(1),
});

export type Step =
  | RequestStep
  | AssertStep
  | ServiceStep
  | SleepStep
  | GroupStep
  | WhileStep
  | MemoryStep
  | RawStep;

/** The kinds of steps by their leading key. */
export const STEP_KINDS: Readonly<Record<string, z.ZodType<Step, unknown>>> = {
  request: RequestStepSchema,
  assert: AssertStepSchema,
  service: ServiceStepSchema,
  sleep: SleepStepSchema,
  steps: GroupStepSchema,
  while: WhileStepSchema,
  memory: MemoryStepSchema,
  raw: RawStepSchema,
};

/** A step is what its leading key says; only that kind's keys are allowed beside it. */
export const StepSchema: z.ZodType<Step, unknown> = z.unknown().transform((value, ctx): Step => {
  const kinds = Object.keys(STEP_KINDS);
  const [kind, second] = isJsonObject(value) ? kinds.filter((key) => Object.hasOwn(value, key)) : [];
  const schema = kind === undefined ? undefined : STEP_KINDS[kind];
  if (!schema || second) {
    const found = isJsonObject(value) ? `; found ${Object.keys(value).join(', ') || 'nothing'}` : '';
    ctx.addIssue({ code: 'custom', message: `expected a step with one of ${kinds.join(', ')}${found}` });
    return z.NEVER;
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success) {
    copyIssues(parsed.error, ctx);
    return z.NEVER;
  }
  return parsed.data;
});

/** Every key of the step language, for "did you mean". */
export const STEP_KEYS: readonly string[] = [
  ...Object.keys(RequestStepSchema.shape),
  ...Object.keys(ExpectationsSchema.shape),
  ...Object.keys(STEP_KINDS),
  ...Object.keys(ServiceStepSchema.shape),
  'workers',
  'keep',
  'growsAtMost',
  'over',
  'send',
  'connections',
  'pause',
  'each',
];

function copyIssues(error: z.ZodError, ctx: z.RefinementCtx): void {
  for (const issue of error.issues) {
    ctx.addIssue({ ...issue, input: undefined } as Parameters<typeof ctx.addIssue>[0]);
  }
}
