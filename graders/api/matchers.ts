import type { JsonValue } from '../../src/domain/json-value.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import { parseDuration } from '../../src/domain/units.ts';
import { validateSchema } from './json-schema.ts';

/** Compares a value with an expectation that may hold matchers. */
type Matches = (expected: JsonValue, actual: unknown) => boolean;
/** True or false; a text is false with a better reason than "expected … to …, got …". */
type Matcher = (argument: JsonValue, actual: unknown, matches: Matches) => boolean | string;

/** Longer texts are not given to regular expressions. */
const MAX_REGEX_INPUT_CHARS = 64 * 1024;
const ISO_DATE = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)$/;
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** The matchers that judge a value as a whole; `$partial` and `$all` look inside and live in match.ts. */
export const MATCHERS: Readonly<Record<string, Matcher>> = {
  $any: (_argument, actual) => actual !== undefined,
  $absent: (_argument, actual) => actual === undefined,
  $literal: (argument, actual) => canonical(argument) === canonical(actual),
  $type: (argument, actual) => [argument].flat().some((type) => hasType(actual, type)),
  $matches: matchesRegex,
  $not: (argument, actual, matches) => !matches(argument, actual),
  $oneOf: (argument, actual, matches) =>
    Array.isArray(argument) && argument.some((one) => matches(one, actual)),
  $contains: contains,
  $length: (argument, actual, matches) => {
    const length = lengthOf(actual);
    return (
      length !== undefined &&
      (matches(argument, length) || `expected a length of ${shown(argument)}, got ${length}`)
    );
  },
  $unique: isUnique,
  $sorted: isSorted,
  $range: (argument, actual) => {
    const [min, max] = Array.isArray(argument) ? argument : [];
    return comparison(actual, min, (a, b) => a >= b) && comparison(actual, max, (a, b) => a <= b);
  },
  $gt: (argument, actual) => comparison(actual, argument, (a, b) => a > b),
  $gte: (argument, actual) => comparison(actual, argument, (a, b) => a >= b),
  $lt: (argument, actual) => comparison(actual, argument, (a, b) => a < b),
  $lte: (argument, actual) => comparison(actual, argument, (a, b) => a <= b),
  $date: isDate,
  $schema: (argument, actual) => {
    const problem = actual === undefined ? 'it is missing' : validateSchema(argument, actual);
    return problem === undefined || problem;
  },
};

/** Searches a pattern in a text; a text that is too long for that is refused with a reason. */
export function searchRegex(pattern: string, text: string): RegExpExecArray | null | string {
  return text.length > MAX_REGEX_INPUT_CHARS
    ? `a text of ${text.length} characters is too long to be matched (limit ${MAX_REGEX_INPUT_CHARS})`
    : new RegExp(pattern, 'u').exec(text);
}

function matchesRegex(argument: JsonValue, actual: unknown): boolean | string {
  if (typeof actual !== 'string') {
    return false;
  }
  const found = searchRegex(textOf(argument), actual);
  return typeof found === 'string' ? found : found !== null;
}

function hasType(actual: unknown, type: JsonValue): boolean {
  if (actual === null || Array.isArray(actual)) {
    return type === (actual === null ? 'null' : 'array');
  }
  return type === 'integer' ? Number.isInteger(actual) : type === typeof actual;
}

/** A list means that each of its items is contained. */
function contains(argument: JsonValue, actual: unknown, matches: Matches): boolean {
  const wanted = Array.isArray(argument) ? argument : [argument];
  if (typeof actual === 'string') {
    return wanted.every((part) => typeof part === 'string' && actual.includes(part));
  }
  return Array.isArray(actual) && wanted.every((one) => actual.some((element) => matches(one, element)));
}

function lengthOf(actual: unknown): number | undefined {
  if (typeof actual === 'string') {
    return Array.from(actual).length;
  }
  if (Array.isArray(actual)) {
    return actual.length;
  }
  return isJsonObject(actual) ? Object.keys(actual).length : undefined;
}

function isUnique(_argument: JsonValue, actual: unknown): boolean | string {
  if (!Array.isArray(actual)) {
    return false;
  }
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const element of actual) {
    const text = canonical(element);
    (seen.has(text) ? repeated : seen).add(text);
  }
  const [first] = repeated;
  if (first === undefined) {
    return true;
  }
  const surplus = actual.length - seen.size;
  return `expected ${actual.length} different values, but ${surplus} of them came before, such as ${first.slice(0, 120)}`;
}

function isSorted(argument: JsonValue, actual: unknown): boolean | string {
  if (!Array.isArray(actual)) {
    return false;
  }
  const by = isJsonObject(argument) ? textOf(argument['by']) : undefined;
  const descending = (isJsonObject(argument) ? argument['order'] : argument) === 'desc';
  const keys = actual.map((element: unknown) => (by === undefined ? element : memberOf(element, by)));
  for (let index = 1; index < keys.length; index += 1) {
    const [low, high] = descending ? [keys[index], keys[index - 1]] : [keys[index - 1], keys[index]];
    if (!comparison(low, high, (a, b) => a <= b)) {
      return `the elements ${index - 1} and ${index} are in the wrong order: ${shown(keys[index - 1])}, then ${shown(keys[index])}`;
    }
  }
  return true;
}

function memberOf(element: unknown, key: string): unknown {
  return isJsonObject(element) && Object.hasOwn(element, key) ? element[key] : undefined;
}

/** Numbers with numbers and texts with texts (by code unit, as ISO dates want it); anything else is false. */
function comparison(
  actual: unknown,
  bound: unknown,
  holds: (a: number | string, b: number | string) => boolean,
): boolean {
  if (typeof actual === 'number' && typeof bound === 'number') {
    return holds(actual, bound);
  }
  return typeof actual === 'string' && typeof bound === 'string' && holds(actual, bound);
}

function isDate(argument: JsonValue, actual: unknown): boolean | string {
  if (typeof actual !== 'string' || actual.length > 60) {
    return false;
  }
  const pattern = argument === 'http' ? HTTP_DATE : ISO_DATE;
  const known =
    argument === 'iso' || argument === 'http'
      ? pattern.test(actual)
      : ISO_DATE.test(actual) || HTTP_DATE.test(actual);
  const time = Date.parse(actual);
  if (!known || Number.isNaN(time)) {
    return false;
  }
  if (!isJsonObject(argument)) {
    return true;
  }
  const offMs = Math.abs(Date.now() - time);
  const withinMs = parseDuration(textOf(argument['within'])) ?? 0;
  return (
    offMs <= withinMs ||
    `expected a date within ${textOf(argument['within'])} of now, but ${actual} is ${Math.round(offMs / 1000)} s off`
  );
}

/** Text that is equal for equal values, whatever the order of keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) {
    return `[${value.map(canonical).join(',')}]`;
  }
  if (isJsonObject(value)) {
    const keys = Object.keys(value).toSorted();
    return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`;
  }
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'undefined');
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 120);
}

/** The argument of a matcher that takes text; the suite's schema has checked it. */
function textOf(argument: JsonValue | undefined): string {
  return typeof argument === 'string' ? argument : shown(argument);
}
