import { isMatcher } from '../../src/domain/api-suite-matcher.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { matches } from './match.ts';
import { describeExpected } from './render-value.ts';

/** Longer documents are cut before they are compared: the comparison takes lines × lines steps. */
const MAX_LINES = 400;
const MAX_SHOWN_LINES = 80;
const MAX_LINE_CHARS = 200;
const CONTEXT_LINES = 3;

/** Stands in the expected document where a matcher did not hold. */
class Label {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/**
 * A line diff of two JSON documents ("- expected", "+ actual", "  same"), reduced to the changes and their
 * surroundings. Matchers that hold show the actual value, so that only what is wrong differs.
 */
export function diffJson(expected: JsonValue, actual: unknown): string[] {
  const left = printLines(viewOf(expected, actual, false));
  const right = printLines(actual);
  return reduce(diffLines(left.slice(0, MAX_LINES), right.slice(0, MAX_LINES)));
}

/** As `diffJson`, for texts. */
export function diffText(expected: string, actual: string): string[] {
  const [left, right] = [expected, actual].map((text) =>
    text
      .slice(0, MAX_LINES * MAX_LINE_CHARS)
      .split('\n')
      .map(shorten),
  );
  return reduce(diffLines((left ?? []).slice(0, MAX_LINES), (right ?? []).slice(0, MAX_LINES)));
}

/** The expected document in the actual one's terms. */
function viewOf(expected: JsonValue, actual: unknown, partial: boolean): unknown {
  if (isMatcher(expected)) {
    const inner = expected['$partial'];
    if (inner !== undefined && Object.keys(expected).length === 1) {
      return viewOf(inner, actual, true);
    }
    return matches(expected, actual) ? actual : new Label(`<should ${describeExpected(expected)}>`);
  }
  if (Array.isArray(expected) && Array.isArray(actual)) {
    return expected.map((item, index) => viewOf(item, actual[index], partial));
  }
  if (isJsonObject(expected) && isJsonObject(actual)) {
    return viewOfObject(expected as Record<string, JsonValue>, actual, partial);
  }
  return expected;
}

function viewOfObject(
  expected: Record<string, JsonValue>,
  actual: Record<string, unknown>,
  partial: boolean,
): Record<string, unknown> {
  const shared = Object.keys(actual).filter((key) => partial || Object.hasOwn(expected, key));
  const missing = Object.keys(expected).filter((key) => !Object.hasOwn(actual, key));
  const entries = [...shared, ...missing].map((key): [string, unknown] => {
    const wanted = Object.hasOwn(expected, key) ? expected[key] : undefined;
    const there = Object.hasOwn(actual, key) ? actual[key] : undefined;
    return [key, wanted === undefined ? there : viewOf(wanted, there, partial)];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Pretty JSON, line by line; numbers that JSON cannot say (1e400) are shown as they are. */
function printLines(value: unknown, indent = '', prefix = '', suffix = ''): string[] {
  const list = Array.isArray(value);
  if (!list && (value instanceof Label || !isJsonObject(value))) {
    return [shorten(`${indent}${prefix}${printScalar(value)}${suffix}`)];
  }
  const [open, close] = list ? ['[', ']'] : ['{', '}'];
  const members = list ? value.map((item): [string, unknown] => ['', item]) : Object.entries(value);
  if (members.length === 0) {
    return [shorten(`${indent}${prefix}${open}${close}${suffix}`)];
  }
  const lines = [shorten(`${indent}${prefix}${open}`)];
  for (const [index, [key, item]] of members.slice(0, MAX_LINES).entries()) {
    const comma = index < members.length - 1 ? ',' : '';
    lines.push(...printLines(item, `${indent}  `, list ? '' : `${JSON.stringify(key)}: `, comma));
  }
  lines.push(`${indent}${close}${suffix}`);
  return lines;
}

function printScalar(value: unknown): string {
  if (value instanceof Label) {
    return value.text;
  }
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? '<nothing>');
}

function shorten(line: string): string {
  return line.length <= MAX_LINE_CHARS ? line : `${line.slice(0, MAX_LINE_CHARS)}…`;
}

/** The classic longest common subsequence by table; both sides are capped. */
function diffLines(left: readonly string[], right: readonly string[]): string[] {
  const common = commonLengths(left, right);
  const lines: string[] = [];
  let i = 0;
  let j = 0;
  while (i < left.length && j < right.length) {
    if (left[i] === right[j]) {
      lines.push(`  ${left[i]}`);
      i += 1;
      j += 1;
    } else if (common(i + 1, j) >= common(i, j + 1)) {
      lines.push(`- ${left[i]}`);
      i += 1;
    } else {
      lines.push(`+ ${right[j]}`);
      j += 1;
    }
  }
  return [
    ...lines,
    ...left.slice(i).map((line) => `- ${line}`),
    ...right.slice(j).map((line) => `+ ${line}`),
  ];
}

/** How many lines the tails from `i` and `j` on have in common. */
function commonLengths(left: readonly string[], right: readonly string[]): (i: number, j: number) => number {
  const width = right.length + 1;
  const table = new Uint16Array((left.length + 1) * width);
  function at(i: number, j: number): number {
    return table[i * width + j] ?? 0;
  }
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      table[i * width + j] =
        left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  return at;
}

function reduce(lines: readonly string[]): string[] {
  const changed = lines.flatMap((line, index) => (line.startsWith('  ') ? [] : [index]));
  if (changed.length === 0) {
    return [];
  }
  const keep = new Set(
    changed.flatMap((at) => Array.from({ length: 2 * CONTEXT_LINES + 1 }, (_, k) => at - CONTEXT_LINES + k)),
  );
  const shown: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (keep.has(index)) {
      shown.push(line);
    } else if (shown.at(-1) !== '  …') {
      shown.push('  …');
    }
  }
  return shown.length <= MAX_SHOWN_LINES ? shown : [...shown.slice(0, MAX_SHOWN_LINES), '  … (more)'];
}
