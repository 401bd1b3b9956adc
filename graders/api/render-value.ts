import { isMatcher } from '../../src/domain/api-suite-matcher.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';

const SHORT_CHARS = 120;

/** One value on one line, shortened. Undefined is a value that is not there. */
export function renderValue(value: unknown, maxChars = SHORT_CHARS): string {
  if (value === undefined) {
    return 'nothing';
  }
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value);
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}… (${text.length} characters)`;
}

/** What a value should be, as words that follow "expected <subject> to …". */
export function describeExpected(expected: JsonValue): string {
  if (!isMatcher(expected)) {
    return `be ${renderValue(expected)}`;
  }
  return Object.entries(expected)
    .map(([name, argument]) => describeMatcher(name, argument))
    .join(' and ');
}

function describeMatcher(name: string, argument: JsonValue): string {
  return PHRASES[name]?.(argument) ?? `${name} ${renderValue(argument)}`;
}

const PHRASES: Readonly<Record<string, (argument: JsonValue) => string>> = {
  $any: () => 'be present',
  $absent: () => 'be absent',
  $unique: () => 'have no value twice',
  $schema: () => 'satisfy the schema',
  $literal: (argument) => `be ${renderValue(argument)}`,
  $matches: (argument) => `match /${textOf(argument)}/`,
  $type: (argument) => `be of type ${[argument].flat().map(textOf).join(' or ')}`,
  $partial: (argument) => `contain at least ${renderValue(argument)}`,
  $contains: (argument) => `contain ${renderValue(argument)}`,
  $range: (argument) => `be in the range ${renderValue(argument)}`,
  $gt: (argument) => `be greater than ${renderValue(argument)}`,
  $gte: (argument) => `be at least ${renderValue(argument)}`,
  $lt: (argument) => `be less than ${renderValue(argument)}`,
  $lte: (argument) => `be at most ${renderValue(argument)}`,
  $not: (argument) => `not ${describeExpected(argument)}`,
  $oneOf: (argument) => `be one of ${renderValue(argument)}`,
  $all: (argument) => `have only elements that ${describeExpected(argument)}`,
  $length: (argument) =>
    isMatcher(argument)
      ? `have a length that should ${describeExpected(argument)}`
      : `have a length of ${renderValue(argument)}`,
  $sorted: (argument) => {
    const by = isJsonObject(argument) ? ` by "${textOf(argument['by'])}"` : '';
    const order = isJsonObject(argument) ? argument['order'] : argument;
    return `be sorted ${order === 'asc' ? 'upwards' : 'downwards'}${by}`;
  },
  $date: (argument) => {
    if (isJsonObject(argument)) {
      return `be a date within ${textOf(argument['within'])} of now`;
    }
    return argument === 'iso' ? 'be an ISO 8601 date and time with a zone' : 'be an HTTP date';
  },
};

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : renderValue(value);
}
