import { createHash } from 'node:crypto';
import type { Expectations } from '../../src/domain/api-suite-step.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { formatMs } from '../../src/domain/units.ts';
import { diffJson, diffText } from './diff.ts';
import { CheckFailure } from './failures.ts';
import { headerOf } from './http-types.ts';
import type { HttpOutcome, HttpResponse } from './http-types.ts';
import { selectPath } from './json-path.ts';
import { validateSchema } from './json-schema.ts';
import { findMismatches, mismatchSentence } from './match.ts';
import { parseJson } from './parse-json.ts';
import { renderValue } from './render-value.ts';
import { expandExpected, expandPath } from './template.ts';
import type { Scope } from './template.ts';

const MAX_DETAIL_CHARS = 1000;

/**
 * Compares an answer with what the suite expects. Throws a `CheckFailure` at the first thing that is wrong:
 * status, headers, body, time. `at` is relative to `expect`.
 */
export function judgeResponse(
  expect: Expectations,
  outcome: HttpOutcome,
  response: HttpResponse,
  scope: Scope,
): void {
  judgeStatus(expect, response);
  for (const [name, expected] of Object.entries(expect.headers ?? {})) {
    judgeHeader(name, expandExpected(expected, scope), response);
  }
  judgeBody(expect, response, scope);
  if (expect.within !== undefined && outcome.durationMs > expect.within) {
    const [limit, took] = [formatMs(expect.within), formatMs(outcome.durationMs)];
    throw new CheckFailure(`expected an answer within ${limit}, it took ${took}`, {
      at: 'within',
      expected: limit,
      actual: took,
    });
  }
}

/** The JSON of a body. Throws a `CheckFailure` that says why it is none. */
export function bodyAsJson(response: HttpResponse): { value: JsonValue; notes: string[] } {
  const parsed = parseJson(response.body);
  if (parsed.ok) {
    return parsed;
  }
  const encoding = headerOf(response, 'content-encoding');
  const encoded =
    encoding === undefined
      ? ''
      : ` (it says that it is encoded as "${encoding.slice(0, 40)}", which was not asked for)`;
  throw new CheckFailure(`expected a JSON body, but ${parsed.problem}${encoded}`, {
    expected: 'a JSON body',
    actual: response.body.subarray(0, MAX_DETAIL_CHARS).toString('utf8'),
  });
}

/** True when a status is the expected one, in one of the expected ranges, or in the list of either. */
export function statusMatches(expected: NonNullable<Expectations['status']>, status: number): boolean {
  return [expected].flat().some((one) => {
    if (typeof one === 'number') {
      return one === status;
    }
    const [low = '', high = ''] = one.endsWith('xx')
      ? [`${one.charAt(0)}00`, `${one.charAt(0)}99`]
      : one.split('-');
    return status >= Number(low) && status <= Number(high);
  });
}

function judgeStatus(expect: Expectations, response: HttpResponse): void {
  if (expect.status !== undefined && !statusMatches(expect.status, response.status)) {
    const expected = [expect.status].flat().join(' or ');
    const detail = { at: 'status', expected, actual: String(response.status) };
    throw new CheckFailure(`expected status ${expected}, got ${response.status}`, detail);
  }
}

function judgeHeader(name: string, expected: JsonValue, response: HttpResponse): void {
  const actual = headerOf(response, name);
  const wanted = typeof expected === 'number' ? String(expected) : expected;
  const [first] = findMismatches(wanted, actual, `header "${name.toLowerCase()}"`);
  if (first) {
    throw new CheckFailure(mismatchSentence(first), {
      at: `headers.${name}`,
      expected: renderValue(wanted, MAX_DETAIL_CHARS),
      actual: renderValue(actual, MAX_DETAIL_CHARS),
    });
  }
}

function judgeBody(expect: Expectations, response: HttpResponse, scope: Scope): void {
  if (expect.json !== undefined) {
    judgeJson(expandExpected(expect.json, scope), response);
  }
  for (const [path, expected] of Object.entries(expect.jsonpath ?? {})) {
    judgePath(expandPath(path, scope), expandExpected(expected, scope), response, `jsonpath["${path}"]`);
  }
  if (expect.schema !== undefined) {
    judgeSchema(expect.schema, response);
  }
  if (expect.text !== undefined) {
    judgeText(expandExpected(expect.text, scope), response.body.toString('utf8'));
  }
  judgeBytes(expect, response, scope);
}

function judgeJson(expected: JsonValue, response: HttpResponse): void {
  const { value, notes } = withPlace('json', () => bodyAsJson(response));
  const mismatches = findMismatches(expected, value);
  const [first] = mismatches;
  if (!first) {
    return;
  }
  const more = mismatches.length > 1 ? ` (and ${mismatches.length - 1} more)` : '';
  const remark = notes.length > 0 ? ` (note: ${notes.join('; ')})` : '';
  throw new CheckFailure(`${mismatchSentence(first)}${more}${remark}`, {
    at: 'json',
    expected: renderValue(expected, MAX_DETAIL_CHARS),
    actual: renderValue(value, MAX_DETAIL_CHARS),
    diff: diffJson(expected, value),
  });
}

function judgePath(path: string, expected: JsonValue, response: HttpResponse, at: string): void {
  const { value } = withPlace(at, () => bodyAsJson(response));
  const actual = selectPath(path, value);
  const [first] = findMismatches(expected, actual, path);
  if (first) {
    throw new CheckFailure(mismatchSentence(first), {
      at,
      expected: renderValue(expected, MAX_DETAIL_CHARS),
      actual: renderValue(actual, MAX_DETAIL_CHARS),
      diff: diffJson(expected, actual),
    });
  }
}

function judgeSchema(schema: JsonValue, response: HttpResponse): void {
  const { value } = withPlace('schema', () => bodyAsJson(response));
  const problem = validateSchema(schema, value);
  if (problem !== undefined) {
    throw new CheckFailure(`the body does not satisfy the schema: ${problem}`, {
      at: 'schema',
      actual: renderValue(value, MAX_DETAIL_CHARS),
    });
  }
}

function judgeText(expected: JsonValue, actual: string): void {
  const [first] = findMismatches(expected, actual, 'the body');
  if (first) {
    throw new CheckFailure(mismatchSentence(first), {
      at: 'text',
      expected: renderValue(expected, MAX_DETAIL_CHARS),
      actual: renderValue(actual, MAX_DETAIL_CHARS),
      ...(typeof expected === 'string' ? { diff: diffText(expected, actual) } : {}),
    });
  }
}

function judgeBytes({ bytes }: Expectations, { body }: HttpResponse, scope: Scope): void {
  const [wrongLength] =
    bytes?.length === undefined
      ? []
      : findMismatches(expandExpected(bytes.length, scope), body.length, 'the length of the body');
  if (wrongLength) {
    throw new CheckFailure(mismatchSentence(wrongLength), {
      at: 'bytes.length',
      actual: String(body.length),
    });
  }
  const digest = bytes?.sha256 === undefined ? undefined : createHash('sha256').update(body).digest('hex');
  if (digest !== bytes?.sha256) {
    const detail = { at: 'bytes.sha256', expected: `${bytes?.sha256}`, actual: `${digest}` };
    throw new CheckFailure(
      `the body of ${body.length} bytes is not the expected one (its SHA-256 differs)`,
      detail,
    );
  }
}

/** Runs a part of the judgement; a failure of it says where it happened. */
function withPlace<T>(place: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CheckFailure ? error.within(place) : error;
  }
}
