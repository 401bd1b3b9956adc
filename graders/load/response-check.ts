import type { JsonValue } from '../../src/domain/json-value.ts';
import type { LoadCapture, LoadRequest, StatusRange } from '../../src/domain/load-request.ts';
import { findMismatches, mismatchSentence } from '../api/match.ts';
import { expandExpected } from '../api/template.ts';
import type { ResponseParser } from './response-parser.ts';
import type { TemplateValues } from './request-template.ts';

/** Looks at a whole response and keeps its captures. Returns what is wrong with it, or undefined. */
export type CheckResponse = (response: ResponseParser, values: TemplateValues) => string | undefined;

/** Bytes of a body that is looked at; a longer one fails the check. */
const CHECKED_BODY_BYTES = 256 * 1024;
/** Bytes of a body that is only shown as evidence. */
const SHOWN_BODY_BYTES = 2048;
const MAX_CAPTURED_CHARS = 2048;
const MAX_MESSAGE_CHARS = 160;

/** How much of the body of this request's responses is worth keeping. */
export function keptBodyBytes(request: LoadRequest): number {
  return readsBody(request) ? CHECKED_BODY_BYTES : SHOWN_BODY_BYTES;
}

/** Prepares the checks of one request of the plan. */
export function compileCheck(request: LoadRequest): CheckResponse {
  const { expect, capture } = request;
  const headers = Object.entries(expect.headers);
  const captures = Object.entries(capture);
  const wantsBody = readsBody(request);
  return (response, values) => {
    if (!isExpectedStatus(expect.status, response.status)) {
      return `expected status ${describeStatus(expect.status)}, got ${response.status}`;
    }
    if (headers.length === 0 && captures.length === 0 && !wantsBody) {
      return undefined;
    }
    try {
      return (
        checkHeaders(headers, response, values) ??
        checkBody(expect.json, captures, response, values, wantsBody)
      );
    } catch (error) {
      // The comparison runs over a body that may be hostile (a million levels deep, say).
      return `the response cannot be compared: ${error instanceof Error ? error.message : 'unknown reason'}`;
    }
  };
}

function readsBody({ expect, capture }: LoadRequest): boolean {
  return expect.json !== undefined || Object.values(capture).some((source) => source.from === 'json');
}

function isExpectedStatus(ranges: readonly StatusRange[], status: number): boolean {
  if (ranges.length === 0) {
    return status < 400;
  }
  for (const { from, to } of ranges) {
    if (status >= from && status <= to) {
      return true;
    }
  }
  return false;
}

function describeStatus(ranges: readonly StatusRange[]): string {
  const texts = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`));
  return texts.length === 0 ? 'below 400' : texts.join(' or ');
}

function checkHeaders(
  headers: readonly [string, JsonValue][],
  response: ResponseParser,
  values: TemplateValues,
): string | undefined {
  for (const [name, expected] of headers) {
    const problem = mismatch(expected, response.header(name), values, `header ${name}`);
    if (problem !== undefined) {
      return problem;
    }
  }
  return undefined;
}

function checkBody(
  expected: JsonValue | undefined,
  captures: readonly [string, LoadCapture][],
  response: ResponseParser,
  values: TemplateValues,
  wantsBody: boolean,
): string | undefined {
  let body: unknown;
  if (wantsBody) {
    if (!response.bodyKeptWhole) {
      return `expected a JSON body of at most ${CHECKED_BODY_BYTES} bytes`;
    }
    try {
      body = JSON.parse(response.bodyText());
    } catch {
      return 'expected a JSON body';
    }
  }
  const problem = expected === undefined ? undefined : mismatch(expected, body, values, '$');
  return problem ?? keepCaptures(captures, body, response, values);
}

function mismatch(
  expected: JsonValue,
  actual: unknown,
  { captures, prng }: TemplateValues,
  path: string,
): string | undefined {
  const scope = { variables: captures, parent: undefined, prng, index: undefined };
  const [first] = findMismatches(expandExpected(expected, scope), actual, path);
  return first && mismatchSentence(first).slice(0, MAX_MESSAGE_CHARS);
}

function keepCaptures(
  captures: readonly [string, LoadCapture][],
  body: unknown,
  response: ResponseParser,
  values: TemplateValues,
): string | undefined {
  for (const [name, source] of captures) {
    const value = source.from === 'header' ? response.header(source.name) : lookUp(body, source.path);
    if (value === undefined || value === null || typeof value === 'object') {
      return `expected a value to keep as "${name}", found none`;
    }
    if (String(value).length > MAX_CAPTURED_CHARS) {
      return `expected a value to keep as "${name}" of at most ${MAX_CAPTURED_CHARS} characters`;
    }
    values.captures.set(name, value as JsonValue);
  }
  return undefined;
}

function lookUp(
  body: unknown,
  path: readonly (string | number)[],
): string | number | boolean | object | null | undefined {
  let value: unknown = body;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[step];
  }
  return value as string | number | boolean | object | null;
}
