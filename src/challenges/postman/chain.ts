import type { Expression, SpreadElement } from 'acorn';
import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { expectOf, propertyOf } from './findings.ts';
import type { Findings } from './findings.ts';
import { valueOf } from './constants.ts';
import { memberKey } from './subject.ts';
import type { Subject } from './subject.ts';

/** One word of an assertion, with its arguments where it is called. */
export interface Word {
  name: string;
  args: (Expression | SpreadElement)[] | undefined;
}

/** The root of a chain of members and calls, and the words after it. `stop` tells the root. */
export function wordsOf(
  node: Expression,
  stop: (node: Expression) => boolean,
): { root: Expression; words: Word[] } | undefined {
  if (stop(node)) {
    return { root: node, words: [] };
  }
  const [member, args] = node.type === 'CallExpression' ? [node.callee, node.arguments] : [node, undefined];
  if (member.type !== 'MemberExpression' || member.object.type === 'Super') {
    return undefined;
  }
  const name = memberKey(member);
  const before = wordsOf(member.object, stop);
  return before && typeof name === 'string'
    ? { root: before.root, words: [...before.words, { name, args }] }
    : undefined;
}

const FILLERS = new Set(
  'to be been is that which and has have with at of same but does still also own ordered deep any all'.split(
    ' ',
  ),
);
const TYPES = new Set(['string', 'number', 'boolean', 'object', 'array', 'null']);

/** What the words so far have set. */
interface State {
  subject: Subject;
  not: boolean;
  nested: boolean;
  include: boolean;
}

/** Reads the words of `expect(subject).to…`. Answers what it could not read, or undefined when all is said. */
export function readChain(findings: Findings, subject: Subject, words: readonly Word[]): string | undefined {
  const state: State = { subject, not: false, nested: false, include: false };
  let asserted = false;
  for (const [index, word] of words.entries()) {
    const last = index === words.length - 1;
    const modified = readModifier(word, state, last);
    if (modified) {
      continue;
    }
    const problem = readAssertion(findings, word, state);
    if (problem !== undefined) {
      return problem;
    }
    asserted = true;
  }
  return asserted ? undefined : 'it asserts nothing';
}

function readModifier({ name, args }: Word, state: State, last: boolean): boolean {
  if (args !== undefined) {
    return false;
  }
  if (FILLERS.has(name)) {
    return true;
  }
  if (name === 'not' || name === 'nested') {
    state[name] = true;
    return true;
  }
  if (!last && (name === 'include' || name === 'contain' || name === 'includes')) {
    state.include = true;
    return true;
  }
  if (!last && (name === 'length' || name === 'lengthOf') && state.subject.kind === 'json') {
    state.subject = { kind: 'length', path: state.subject.path };
    return true;
  }
  return false;
}

function readAssertion(findings: Findings, word: Word, state: State): string | undefined {
  const { name, args = [] } = word;
  if (name === 'property') {
    return readProperty(findings, args, state);
  }
  const expected = matcherOf(name, args, state);
  if (expected === undefined) {
    return `"${name}" has no counterpart`;
  }
  const said = expectOf(findings, state.subject, state.not ? negated(expected) : expected);
  return said ? undefined : `"${name}" cannot be said of ${state.subject.kind}`;
}

function readProperty(
  findings: Findings,
  args: readonly (Expression | SpreadElement)[],
  state: State,
): string | undefined {
  const [key, value] = [args[0] && valueOf(args[0]), args[1] && valueOf(args[1])];
  const inner = typeof key === 'string' ? propertyOf(state.subject, key, state.nested) : undefined;
  if (!inner || (args.length > 1 && value === undefined)) {
    return '"property" has arguments that are not constants';
  }
  const present: JsonValue = value ?? { $any: true };
  const absent: JsonValue = value === undefined ? { $absent: true } : { $not: value };
  const said = expectOf(findings, inner, state.not ? absent : present);
  state.subject = inner;
  return said ? undefined : '"property" contradicts an earlier assertion';
}

/** "Not there" and "not empty" have words of their own. */
function negated(expected: JsonValue): JsonValue {
  if (isJsonObject(expected) && expected['$absent'] === true) {
    return { $any: true };
  }
  if (isJsonObject(expected) && expected['$length'] === 0) {
    return { $length: { $gt: 0 } };
  }
  return { $not: expected };
}

type Values = (JsonValue | undefined)[];
const CONSTANTS: Readonly<Record<string, JsonValue>> = {
  true: true,
  false: false,
  null: null,
  undefined: { $absent: true },
  empty: { $length: 0 },
  exist: { $any: true, $not: null },
  exists: { $any: true, $not: null },
  ok: { $any: true, $not: { $oneOf: [null, false, 0, ''] } },
};
const COMPARISONS: Readonly<Record<string, string>> = {
  above: '$gt',
  gt: '$gt',
  greaterThan: '$gt',
  least: '$gte',
  gte: '$gte',
  greaterThanOrEqual: '$gte',
  below: '$lt',
  lt: '$lt',
  lessThan: '$lt',
  most: '$lte',
  lte: '$lte',
  lessThanOrEqual: '$lte',
};

function matcherOf(
  name: string,
  args: readonly (Expression | SpreadElement)[],
  state: State,
): JsonValue | undefined {
  if (Object.hasOwn(CONSTANTS, name) && args.length === 0) {
    return CONSTANTS[name];
  }
  if (name === 'match' || name === 'matches') {
    return args[0] && patternOf(args[0]);
  }
  const values = args.map((arg) => valueOf(arg));
  const [first, second] = values;
  if (first === undefined) {
    return undefined;
  }
  const comparison = COMPARISONS[name];
  if (comparison !== undefined) {
    return { [comparison]: first };
  }
  if (name === 'within' && second !== undefined) {
    return { $range: [first, second] };
  }
  return OF_VALUE[name]?.(first, values, state);
}

type OfValue = (first: JsonValue, values: Values, state: State) => JsonValue | undefined;

const OF_VALUE: Readonly<Record<string, OfValue>> = {
  equal: exactly,
  equals: exactly,
  eq: exactly,
  eql: exactly,
  eqls: exactly,
  a: typeMatcher,
  an: typeMatcher,
  lengthOf: (first) => ({ $length: first }),
  length: (first) => ({ $length: first }),
  oneOf: (first) =>
    Array.isArray(first) && first.length > 0 ? { $oneOf: first.map((one) => exactly(one)) } : undefined,
  include: containsMatcher,
  includes: containsMatcher,
  contain: containsMatcher,
  string: containsMatcher,
  members: (first, _, state) =>
    Array.isArray(first)
      ? { $contains: first, ...(state.include ? {} : { $length: first.length }) }
      : undefined,
  key: (_, values, state) => keysMatcher(values.flat(), state.include),
  keys: (_, values, state) => keysMatcher(values.flat(), state.include),
};

function typeMatcher(first: JsonValue): JsonValue | undefined {
  const type = typeof first === 'string' ? first.toLowerCase() : '';
  return TYPES.has(type) ? { $type: type } : undefined;
}

function containsMatcher(first: JsonValue): JsonValue {
  return isJsonObject(first) ? { $oneOf: [{ $partial: first }, { $contains: first }] } : { $contains: first };
}

/** Data that looks like a matcher is meant literally. */
export function exactly(value: JsonValue): JsonValue {
  return JSON.stringify(value).includes('"$') && typeof value === 'object' ? { $literal: value } : value;
}

function keysMatcher(keys: Values, include: boolean): JsonValue | undefined {
  const names = keys.filter((key) => typeof key === 'string');
  if (names.length !== keys.length || names.length === 0) {
    return undefined;
  }
  const any = Object.fromEntries(names.map((key) => [key, { $any: true }]));
  return include ? { $partial: any } : any;
}

/** A pattern without flags that change what it finds. Where case does not matter, letters stand for both. */
function patternOf(node: Expression | SpreadElement): JsonValue | undefined {
  if (node.type !== 'Literal' || !node.regex) {
    return undefined;
  }
  const { pattern, flags } = node.regex;
  const source = pattern.replaceAll('${', '[$]{');
  if (!/^[gu]*$/.test(flags)) {
    return undefined;
  }
  try {
    // oxlint-disable-next-line no-new -- only whether it can be made
    new RegExp(source, 'u');
    return { $matches: source };
  } catch {
    return undefined;
  }
}
