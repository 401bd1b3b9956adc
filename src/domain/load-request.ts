import { z } from 'zod';
import { ExpectedSchema } from './api-suite-matcher.ts';
import type { JsonValue } from './json-value.ts';
import { TagsSchema } from './load-tags.ts';
import { DurationMs } from './units.ts';

/** Statuses from `from` to `to`, both included. */
export interface StatusRange {
  from: number;
  to: number;
}

/** Where a captured value comes from: a place in the JSON body, or a response header. */
export type LoadCapture = { from: 'json'; path: (string | number)[] } | { from: 'header'; name: string };

export type LoadBody =
  | { kind: 'json'; value: JsonValue }
  | { kind: 'form'; fields: Record<string, string> }
  | { kind: 'text'; text: string };

/** One request of a plan; texts are templates. */
export interface LoadRequest {
  /** The row of the results that it counts for. */
  name: string;
  method: string;
  /** Path and query, beginning with "/" once its templates are filled in. */
  path: string;
  query: Record<string, string>;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: LoadBody | undefined;
  expect: {
    /** Empty: any status below 400. */
    status: StatusRange[];
    headers: Record<string, JsonValue>;
    /** Undefined: the body is not looked at. */
    json: JsonValue | undefined;
  };
  capture: Record<string, LoadCapture>;
  /** For one exchange, ms; the plan's when undefined. */
  timeoutMs: number | undefined;
}

const REQUEST_LINE = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) ((?:\/|\$\{)[^\s#]*)$/;
const CAPTURE_PATH = /^\$(?:\.[A-Za-z_][\w-]*|\[\d{1,6}\])+$/;
const CAPTURE_HEADER = /^header:([\w!#$%&'*+.^`|~-]+)$/;
const RESERVED_HEADERS = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
]);
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const CAPTURE_NAME = /^(?!random$)[A-Za-z_]\w*$/;
const BODY_KEYS = ['json', 'form', 'text'] as const;

const Scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const HeaderText = Scalar.refine((text) => /^[\t\x20-\x7e]*$/.test(text), 'expected printable ASCII text');
const RequestLine = z
  .string()
  .regex(REQUEST_LINE, 'expected a method and a path, such as "GET /links" or "GET /${code}"');
const RequestName = z
  .string()
  .regex(/^[\w][\w ./:-]{0,79}$/, 'expected a name of letters, digits and spaces, at most 80 characters');

const StatusText = /^(?:([1-5])xx|([1-5]\d\d)-([1-5]\d\d))$/;
const Status = z
  .union([z.number().int().min(100).max(599), z.string()])
  .transform((status, ctx): StatusRange => {
    if (typeof status === 'number') {
      return { from: status, to: status };
    }
    const match = StatusText.exec(status);
    if (!match) {
      ctx.addIssue({
        code: 'custom',
        message: `expected a status such as 201, "2xx" or "200-204", got "${status}"`,
      });
      return z.NEVER;
    }
    return match[1] === undefined
      ? { from: Number(match[2]), to: Number(match[3]) }
      : { from: Number(match[1]) * 100, to: Number(match[1]) * 100 + 99 };
  });

const ExpectSchema = z.strictObject({
  status: z.union([Status, z.array(Status).min(1)]).optional(),
  headers: z.record(z.string(), ExpectedSchema).optional(),
  json: ExpectedSchema.optional(),
});

const CaptureSource = z.string().transform((text, ctx): LoadCapture => {
  const header = CAPTURE_HEADER.exec(text)?.[1];
  if (header !== undefined) {
    return { from: 'header', name: header.toLowerCase() };
  }
  if (!CAPTURE_PATH.test(text)) {
    const message = `expected a plain path such as "$.code" or "$.items[0].id", or "header:<name>", got "${text}"`;
    ctx.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  const path = [...text.matchAll(/\.([\w-]+)|\[(\d+)\]/g)].map((step) => step[1] ?? Number(step[2]));
  return { from: 'json', path };
});

/** Said of the value at the name, where a person looks: a record's own key errors carry no words. */
function named<T extends z.ZodType>(value: T, problemOf: (name: string) => string | undefined) {
  return z.record(z.string(), value).superRefine((record, ctx) => {
    for (const name of Object.keys(record)) {
      const message = problemOf(name);
      if (message !== undefined) {
        ctx.addIssue({ code: 'custom', path: [name], message });
      }
    }
  });
}

function headerNameProblem(name: string): string | undefined {
  if (!HEADER_NAME.test(name)) {
    return 'not a header name';
  }
  return RESERVED_HEADERS.has(name.toLowerCase()) ? 'the generator sets this header itself' : undefined;
}

function captureNameProblem(name: string): string | undefined {
  return CAPTURE_NAME.test(name) ? undefined : 'expected a name such as "code" ("random" is taken)';
}

const REQUEST_SHAPE = {
  request: RequestLine,
  query: z.record(z.string(), Scalar).optional(),
  headers: named(HeaderText, headerNameProblem).optional(),
  json: z.json().optional(),
  form: z.record(z.string(), Scalar).optional(),
  text: z.string().optional(),
  expect: ExpectSchema.optional(),
  capture: named(CaptureSource, captureNameProblem).optional(),
  timeout: DurationMs.refine((ms) => ms > 0, 'expected more than 0').optional(),
};
const RequestKeys = z.strictObject({ name: RequestName.optional(), ...REQUEST_SHAPE });
const MAX_STEPS = 50;
const TaskKeys = z.strictObject({
  name: RequestName,
  weight: z.number().int().min(1).max(10_000).default(1),
  tags: TagsSchema.default([]),
  /** Requests one after another, instead of one. */
  sequence: z
    .array(
      z
        .strictObject({ name: RequestName, ...REQUEST_SHAPE })
        .superRefine(checkOneBody)
        .transform(toRequest),
    )
    .min(1)
    .max(MAX_STEPS)
    .optional(),
  ...REQUEST_SHAPE,
  request: RequestLine.optional(),
});
type TaskKeys = z.output<typeof TaskKeys>;
type RequestKeys = z.output<typeof RequestKeys>;

/** A request of `onStart` and `onStop`. Without a name its row is its request line. */
export const LoadRequestSchema = RequestKeys.superRefine(checkOneBody).transform(toRequest);

/** A weighted task: one request, or several in their order, each with a row of its own. */
export interface LoadTaskPlan {
  name: string;
  weight: number;
  tags: string[];
  /** Its requests are a `sequence`, which has a name apart from theirs. */
  isSequence: boolean;
  steps: LoadRequest[];
}

export const LoadTaskSchema = TaskKeys.superRefine(checkOneBody).transform((keys, ctx): LoadTaskPlan => {
  const { name, weight, tags, sequence, request, ...rest } = keys;
  if (sequence !== undefined) {
    const extra = Object.keys({ request, ...rest }).find((key) => keys[key as keyof TaskKeys] !== undefined);
    if (extra !== undefined) {
      const message = 'a sequence has only requests of its own: put this into one of them';
      ctx.addIssue({ code: 'custom', path: [extra], message });
    }
    return { name, weight, tags, isSequence: true, steps: sequence };
  }
  if (request === undefined) {
    ctx.addIssue({ code: 'custom', path: ['request'], message: 'missing: a request, or a sequence of them' });
    return z.NEVER;
  }
  return { name, weight, tags, isSequence: false, steps: [toRequest({ name, request, ...rest })] };
});

function checkOneBody(
  keys: Partial<Record<(typeof BODY_KEYS)[number], unknown>>,
  ctx: z.RefinementCtx,
): void {
  const [first, second] = BODY_KEYS.filter((key) => keys[key] !== undefined);
  if (second) {
    ctx.addIssue({ code: 'custom', path: [second], message: `the request already has a body in "${first}"` });
  }
}

function toRequest(keys: RequestKeys): LoadRequest {
  const [, method = 'GET', path = '/'] = REQUEST_LINE.exec(keys.request) ?? [];
  const { status, headers = {}, json } = keys.expect ?? {};
  return {
    name: keys.name ?? keys.request,
    method,
    path,
    query: keys.query ?? {},
    headers: lowerCaseNames(keys.headers ?? {}),
    body: toBody(keys),
    expect: {
      status: status === undefined ? [] : [status].flat(),
      headers: lowerCaseNames(headers),
      json,
    },
    capture: keys.capture ?? {},
    timeoutMs: keys.timeout,
  };
}

function toBody(keys: RequestKeys): LoadBody | undefined {
  if (keys.json !== undefined) {
    return { kind: 'json', value: keys.json };
  }
  if (keys.form !== undefined) {
    return { kind: 'form', fields: keys.form };
  }
  return keys.text === undefined ? undefined : { kind: 'text', text: keys.text };
}

function lowerCaseNames<T>(headers: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
