import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { suiteName } from './names.ts';
import { childPath } from './subject.ts';
import type { Subject } from './subject.ts';

/** What a request's scripts come to in the language of suites. */
export interface Findings {
  status: (number | string)[] | undefined;
  headers: Map<string, JsonValue>;
  jsonpath: Map<string, JsonValue>;
  text: JsonValue | undefined;
  schema: JsonValue | undefined;
  withinMs: number | undefined;
  /** Postman's name → source of the capture. */
  captures: Map<string, string>;
  /** Postman's name → value that a script gives it. */
  settings: Map<string, JsonValue>;
}

/** Nothing found yet. */
export function noFindings(): Findings {
  return {
    status: undefined,
    headers: new Map(),
    jsonpath: new Map(),
    text: undefined,
    schema: undefined,
    withinMs: undefined,
    captures: new Map(),
    settings: new Map(),
  };
}

/** True when the answer is looked at, not only used. */
export function hasExpectations(findings: Findings): boolean {
  const { status, headers, jsonpath, text, schema, withinMs } = findings;
  const single = [status, text, schema, withinMs].some((one) => one !== undefined);
  return single || headers.size > 0 || jsonpath.size > 0;
}

/** Adds what should hold for a subject. False when the language has no way to say it. */
export function expectOf(findings: Findings, subject: Subject, expected: JsonValue): boolean {
  switch (subject.kind) {
    case 'json':
      return addAt(findings.jsonpath, subject.path, expected);
    case 'length':
      return addAt(findings.jsonpath, subject.path, { $length: expected });
    case 'type':
      return addAt(findings.jsonpath, subject.path, typeName(expected));
    case 'header':
      return addAt(findings.headers, subject.name, expected);
    case 'text': {
      const merged = mergeExpected(findings.text, expected);
      findings.text = merged ?? findings.text;
      return merged !== undefined;
    }
    case 'status':
      return expectStatus(findings, expected);
    case 'time': {
      const limit = isJsonObject(expected) ? (expected['$lt'] ?? expected['$lte']) : undefined;
      if (typeof limit === 'number') {
        findings.withinMs = Math.min(limit, findings.withinMs ?? limit);
      }
      return typeof limit === 'number';
    }
    case 'response':
      return false;
  }
}

function typeName(expected: JsonValue): JsonValue {
  return expected === 'undefined' ? { $absent: true } : { $type: expected };
}

function expectStatus(findings: Findings, expected: JsonValue): boolean {
  const wanted = isJsonObject(expected) ? expected['$oneOf'] : expected;
  const list = [wanted].flat().filter((one) => typeof one === 'number' || typeof one === 'string');
  if (list.length === 0 || (isJsonObject(expected) && Object.keys(expected).length !== 1)) {
    return false;
  }
  if (findings.status === undefined) {
    findings.status = list;
  }
  return JSON.stringify(findings.status) === JSON.stringify(list);
}

/** Expectations of one place are joined; where two cannot be, the place is spelled in another way. */
function addAt(map: Map<string, JsonValue>, place: string, expected: JsonValue): boolean {
  const merged = mergeExpected(map.get(place), expected);
  if (merged !== undefined) {
    map.set(place, merged);
    return true;
  }
  const respelled = respell(place);
  if (respelled === undefined || map.has(respelled)) {
    return false;
  }
  map.set(respelled, expected);
  return true;
}

/** "$.a.b" is "$.a['b']" too. */
function respell(path: string): string | undefined {
  const last = /^(.*)\.([A-Za-z_]\w*)$/.exec(path);
  return last ? `${last[1]}['${last[2]}']` : undefined;
}

function mergeExpected(one: JsonValue | undefined, other: JsonValue): JsonValue | undefined {
  if (one === undefined || JSON.stringify(one) === JSON.stringify(other)) {
    return other;
  }
  const [a, b] = [asMatcher(one), asMatcher(other)];
  const same = Object.keys(a).filter((key) => Object.hasOwn(b, key));
  if (same.some((key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]) && key !== '$any')) {
    return undefined;
  }
  return withoutAny({ ...a, ...b });
}

function asMatcher(value: JsonValue): Record<string, JsonValue> {
  return isJsonObject(value) && Object.keys(value).some((key) => key.startsWith('$'))
    ? (value as Record<string, JsonValue>)
    : { $oneOf: [value] };
}

/** "Is there" says nothing more beside what only holds for something that is there. */
function withoutAny(matcher: Record<string, JsonValue>): JsonValue {
  const telling = ['$type', '$oneOf', '$matches', '$length', '$contains', '$partial'];
  const { $any: _any, ...rest } = matcher;
  const matched = telling.some((key) => Object.hasOwn(rest, key)) ? rest : matcher;
  const only = Object.keys(matched).length === 1 ? matched['$oneOf'] : undefined;
  return Array.isArray(only) && only.length === 1 && only[0] !== undefined ? only[0] : matched;
}

/** The subject of a property of a JSON subject: "a", or "a.b[0]" where it is nested. */
export function propertyOf(subject: Subject, key: string, nested: boolean): Subject | undefined {
  if (subject.kind !== 'json') {
    return undefined;
  }
  const keys = nested ? key.split(/[.[\]]+/).filter((part) => part !== '') : [key];
  const path = keys.reduce(
    (at, part) => childPath(at, nested && /^\d+$/.test(part) ? Number(part) : part),
    subject.path,
  );
  return { kind: 'json', path };
}

/** Keeps a part of the answer, or a fixed value, under a variable's name. False when it cannot be said. */
export function keepSetting(
  findings: Findings,
  name: string,
  subject: Subject | undefined,
  value: JsonValue | undefined,
): boolean {
  const source = subject && sourceOf(subject);
  if (source !== undefined) {
    findings.captures.set(name, source);
    return true;
  }
  if (value === undefined || value === `\${${suiteName(name)}}`) {
    return value !== undefined;
  }
  findings.settings.set(name, value);
  return true;
}

function sourceOf(subject: Subject): string | undefined {
  switch (subject.kind) {
    case 'json':
      return subject.path;
    case 'header':
      return `header:${subject.name}`;
    case 'status':
    case 'text':
      return subject.kind;
    case 'length':
    case 'type':
    case 'time':
    case 'response':
      return undefined;
  }
}
