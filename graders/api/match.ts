import { isMatcher } from '../../src/domain/api-suite-matcher.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { MATCHERS } from './matchers.ts';
import { describeExpected, renderValue } from './render-value.ts';

/** One place where a value is not what it should be. */
export interface Mismatch {
  /** "$.items[0].code" */
  path: string;
  /** Follows "expected <path> to": "match /^a/". */
  phrase: string;
  /** Undefined when there is nothing at the path. */
  actual: unknown;
  /** A whole sentence that says it better than phrase and value do. */
  sentence?: string;
}

/** More mismatches than a person reads are not looked for. */
const MAX_MISMATCHES = 20;

/** Where `actual` differs from `expected`; empty when it does not. An `actual` of undefined is absent. */
export function findMismatches(expected: JsonValue, actual: unknown, path = '$'): Mismatch[] {
  const found: Mismatch[] = [];
  compare(expected, actual, { path, partial: false, found });
  return found;
}

export function matches(expected: JsonValue, actual: unknown): boolean {
  return findMismatches(expected, actual).length === 0;
}

/** "expected $.code to match /^a/, got 5". */
export function mismatchSentence({ path, phrase, actual, sentence }: Mismatch): string {
  if (sentence !== undefined) {
    return sentence;
  }
  return actual === undefined
    ? `expected ${path} to ${phrase}, but it is missing`
    : `expected ${path} to ${phrase}, got ${renderValue(actual)}`;
}

interface Place {
  path: string;
  /** Objects may have more keys than expected. */
  partial: boolean;
  found: Mismatch[];
}

function compare(expected: JsonValue, actual: unknown, place: Place): void {
  if (place.found.length >= MAX_MISMATCHES) {
    return;
  }
  if (isMatcher(expected)) {
    for (const [name, argument] of Object.entries(expected)) {
      applyMatcher(name, argument, actual, place);
    }
  } else if (Array.isArray(expected) && Array.isArray(actual)) {
    compareArrays(expected, actual, place);
  } else if (isPlainObject(expected) && isJsonObject(actual)) {
    compareObjects(expected, actual, place);
  } else if (expected !== actual) {
    place.found.push({ path: place.path, phrase: describeExpected(expected), actual });
  }
}

function applyMatcher(name: string, argument: JsonValue, actual: unknown, place: Place): void {
  if (name === '$partial') {
    if (actual === undefined) {
      place.found.push({ path: place.path, phrase: describeExpected({ [name]: argument }), actual });
    } else {
      compare(argument, actual, { ...place, partial: true });
    }
    return;
  }
  if (name === '$all') {
    compareElements(argument, actual, place);
    return;
  }
  const verdict = MATCHERS[name]?.(argument, actual, matches);
  if (verdict !== true) {
    const sentence = typeof verdict === 'string' ? { sentence: `${place.path}: ${verdict}` } : {};
    place.found.push({
      path: place.path,
      phrase: describeExpected({ [name]: argument }),
      actual,
      ...sentence,
    });
  }
}

function compareElements(expected: JsonValue, actual: unknown, place: Place): void {
  if (!Array.isArray(actual)) {
    place.found.push({ path: place.path, phrase: 'be a list', actual });
    return;
  }
  for (const [index, element] of actual.entries()) {
    compare(expected, element, { ...place, path: `${place.path}[${index}]` });
  }
}

function compareArrays(expected: JsonValue[], actual: unknown[], place: Place): void {
  if (expected.length !== actual.length) {
    const elements = expected.length === 1 ? 'element' : 'elements';
    const sentence = `expected ${place.path} to have ${expected.length} ${elements}, got ${actual.length}`;
    place.found.push({ path: place.path, phrase: describeExpected(expected), actual, sentence });
  }
  for (let index = 0; index < Math.min(expected.length, actual.length); index += 1) {
    compare(expected[index] ?? null, actual[index], { ...place, path: `${place.path}[${index}]` });
  }
}

function compareObjects(
  expected: Record<string, JsonValue>,
  actual: Record<string, unknown>,
  place: Place,
): void {
  for (const [key, value] of Object.entries(expected)) {
    const there = Object.hasOwn(actual, key) ? actual[key] : undefined;
    compare(value, there, { ...place, path: pathTo(place.path, key) });
  }
  for (const key of place.partial ? [] : Object.keys(actual)) {
    if (!Object.hasOwn(expected, key) && place.found.length < MAX_MISMATCHES) {
      const path = pathTo(place.path, key);
      const sentence = `unexpected key ${renderValue(key)} at ${place.path}, with the value ${renderValue(actual[key])}`;
      place.found.push({ path, phrase: 'be absent', actual: actual[key], sentence });
    }
  }
}

/** The JSONPath of a member. */
function pathTo(parent: string, key: string): string {
  return /^[A-Za-z_]\w*$/.test(key) ? `${parent}.${key}` : `${parent}[${JSON.stringify(key)}]`;
}

function isPlainObject(value: JsonValue): value is Record<string, JsonValue> {
  return isJsonObject(value);
}
