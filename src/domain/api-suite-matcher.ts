import { z } from 'zod';
import { parseDuration } from './units.ts';
import { isJsonObject } from './json-value.ts';
import type { JsonValue } from './json-value.ts';

type Path = readonly PropertyKey[];
type Report = (path: Path, message: string) => void;
type Validate = (argument: unknown, path: Path, report: Report) => void;

const JSON_TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'] as const;

/** Every matcher of the language with the check of its argument. */
const MATCHERS: Readonly<Record<string, Validate>> = {
  $any: isTrue,
  $absent: isTrue,
  $literal: () => undefined,
  $type: (argument, path, report) => {
    for (const type of Array.isArray(argument) ? argument : [argument]) {
      if (!JSON_TYPES.some((known) => known === type)) {
        report(
          path,
          `expected one of ${JSON_TYPES.join(', ')} or a list of them, got ${JSON.stringify(type)}`,
        );
      }
    }
  },
  $matches: (argument, path, report) => {
    const problem = typeof argument === 'string' ? regexProblem(argument) : 'expected a regular expression';
    if (problem) {
      report(path, problem);
    }
  },
  $partial: validateExpected,
  $not: validateExpected,
  $all: validateExpected,
  $contains: validateExpected,
  $length: validateExpected,
  $oneOf: (argument, path, report) => {
    if (!Array.isArray(argument) || argument.length === 0) {
      report(path, 'expected a list of accepted values');
      return;
    }
    validateExpected(argument, path, report);
  },
  $unique: isTrue,
  $sorted: validateSorted,
  $range: (argument, path, report) => {
    const [min, max] = Array.isArray(argument) ? (argument as unknown[]) : [];
    if (
      !Array.isArray(argument) ||
      argument.length !== 2 ||
      !isNumberOrTemplate(min) ||
      !isNumberOrTemplate(max)
    ) {
      report(path, 'expected [minimum, maximum], both included');
    }
  },
  $gt: isNumber,
  $gte: isNumber,
  $lt: isNumber,
  $lte: isNumber,
  $date: validateDate,
  $schema: (argument, path, report) => {
    if (!isJsonObject(argument) && typeof argument !== 'boolean') {
      report(path, 'expected a JSON Schema (an object)');
    }
  },
};

/** The names of all matchers, for messages and suggestions. */
export const MATCHER_NAMES: readonly string[] = Object.keys(MATCHERS);

/** True for an object whose keys are matchers. Data with such keys is written under `$literal`. */
export function isMatcher(value: unknown): value is Record<string, JsonValue> {
  return isJsonObject(value) && Object.keys(value).some((key) => key.startsWith('$'));
}

/** What a value should be: plain JSON is compared exactly, objects with `$` keys are matchers. */
export const ExpectedSchema = z
  .custom<JsonValue>(() => true)
  .superRefine((value, ctx) => {
    validateExpected(value, [], (path, message) => {
      ctx.addIssue({ code: 'custom', path: [...path], message });
    });
  });

function validateExpected(value: unknown, path: Path, report: Report): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      validateExpected(item, [...path, index], report);
    }
    return;
  }
  if (!isJsonObject(value)) {
    validateScalar(value, path, report);
    return;
  }
  const matcher = isMatcher(value);
  for (const [key, argument] of Object.entries(value)) {
    const at = [...path, key];
    if (!matcher) {
      validateExpected(argument, at, report);
    } else if (!key.startsWith('$')) {
      report(
        at,
        'matchers and plain keys stand side by side; write the whole value under "$literal" or "$partial"',
      );
    } else if (Object.hasOwn(MATCHERS, key)) {
      MATCHERS[key]?.(argument, at, report);
    } else {
      report(at, `unknown matcher "${key}"; expected one of ${MATCHER_NAMES.join(', ')}`);
    }
  }
}

function validateScalar(value: unknown, path: Path, report: Report): void {
  const json = value === null || ['string', 'boolean'].includes(typeof value) || Number.isFinite(value);
  if (!json) {
    report(path, 'expected a value that JSON can carry');
  }
}

/** Why a pattern of the suite cannot be used, or undefined. `${…}` stands for literal text. */
export function regexProblem(pattern: string): string | undefined {
  try {
    // oxlint-disable-next-line no-new
    new RegExp(pattern.replaceAll(/\$\{[^}]*\}/g, 'x'), 'u');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : 'expected a regular expression';
  }
}

function isTrue(argument: unknown, path: Path, report: Report): void {
  if (argument !== true) {
    report(path, 'expected true (wrap it in "$not" for the opposite)');
  }
}

function isNumber(argument: unknown, path: Path, report: Report): void {
  if (!isNumberOrTemplate(argument)) {
    report(path, 'expected a number');
  }
}

function isNumberOrTemplate(value: unknown): boolean {
  return Number.isFinite(value) || (typeof value === 'string' && /^\$\{[^}]+\}$/.test(value));
}

function validateSorted(argument: unknown, path: Path, report: Report): void {
  const order = isJsonObject(argument) ? argument['order'] : argument;
  if (order !== 'asc' && order !== 'desc') {
    report(path, 'expected asc, desc or { by: <key of each element>, order: asc | desc }');
  } else if (isJsonObject(argument)) {
    const by = argument['by'];
    if (typeof by !== 'string' || Object.keys(argument).length !== 2) {
      report(path, 'expected exactly { by: <key of each element>, order: asc | desc }');
    }
  }
}

function validateDate(argument: unknown, path: Path, report: Report): void {
  if (argument === 'iso' || argument === 'http') {
    return;
  }
  const within =
    isJsonObject(argument) && Object.keys(argument).length === 1 ? argument['within'] : undefined;
  if (typeof within !== 'string' || parseDuration(within) === undefined) {
    report(path, 'expected iso, http or { within: <duration from now, such as "1m"> }');
  }
}
