import fc from 'fast-check';
import type { JsonSchema } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { runWithin } from '../api/time-limit.ts';
import type { FlatSchema, SchemaSet } from './schema-set.ts';
import { typesOf } from './schema-set.ts';
import { matching, textsOf } from './texts.ts';
import { boundsOf, uniqueLists, valuesOf } from './values.ts';

/** A value that a schema just allows: where a service is off by one, it shows. */
export interface Limit {
  /** Where inside the value; empty for the value itself. */
  path: string[];
  /** What it is there: "is 100, the most allowed". */
  what: string;
  value: fc.Arbitrary<JsonValue>;
  /** Not everything made can be brought to the limit; default: it is there. */
  isThere?: (value: JsonValue) => boolean;
}

const MAX_DEPTH = 3;
/** Longer texts and lists are not sent. */
const MAX_LENGTH = 20_000;
const MAX_ITEMS = 100;
/** Patterns of the author meet long texts here. */
const PATTERN_LIMIT_MS = 200;
/** A bounded repetition of a pattern; "{" may be meant as it stands. */
const REPEATED = /(?<!\\)\{(\d+),(\d+)\}/g;

/** The limits of a schema, one at a time, members of members included. Whether a value fits is for the caller to ask. */
export function limitValues(schema: JsonSchema, schemas: SchemaSet, path: string[] = []): Limit[] {
  const flat = schemas.flatten(schema);
  const types = typesOf(flat);
  if (Array.isArray(flat['enum'])) {
    return flat['enum'].map((one) => ({ path, what: `is ${JSON.stringify(one)}`, value: fc.constant(one) }));
  }
  return [
    ...(types.includes('string') ? limitTexts(flat, path) : []),
    ...(types.includes('integer') ? limitNumbers(flat, 1, path) : []),
    ...(types.includes('number') ? limitNumbers(flat, 0.01, path) : []),
    ...(types.includes('array') ? limitLists(flat, schemas, path) : []),
    ...(types.includes('object') ? limitMembers(flat, schemas, path) : []),
  ];
}

function limitTexts(flat: FlatSchema, path: string[]): Limit[] {
  const { minLength, maxLength } = flat;
  const pattern = [flat['x-assay-pattern'], flat['pattern']].find((one) => typeof one === 'string');
  if (pattern !== undefined && pattern.search(REPEATED) !== -1 && flat['x-assay-pattern'] === undefined) {
    return (['short', 'long'] as const).flatMap((end) => {
      const value = matching(pattern.replaceAll(REPEATED, end === 'short' ? '{$1}' : '{$2}'));
      return value ? [{ path, what: `is as ${end} as its pattern allows`, value }] : [];
    });
  }
  const limits: Limit[] = [];
  if (typeof minLength === 'number' && pattern === undefined && flat['format'] === undefined) {
    const value = fc.string({ minLength, maxLength: minLength, unit: 'grapheme-ascii' });
    limits.push({ path, what: `is ${minLength} characters long, the least allowed`, value });
  }
  if (typeof maxLength === 'number' && maxLength <= MAX_LENGTH && flat['format'] === undefined) {
    const value = textsOf(flat).map((text) => padded(text, maxLength, pattern));
    limits.push({
      path,
      what: `is ${maxLength} characters long, the most allowed`,
      value,
      isThere: (text) => typeof text === 'string' && text.length === maxLength,
    });
  }
  return limits;
}

/** The text made as long as it may be; as it is where its end cannot just go on. */
function padded(text: string, length: number, pattern: string | undefined): string {
  const long = text.padEnd(length, 'a');
  if (pattern === undefined) {
    return long;
  }
  const fits = runWithin(() => new RegExp(pattern, 'u').test(long), PATTERN_LIMIT_MS);
  return !fits.late && fits.value ? long : text;
}

function limitNumbers(flat: FlatSchema, step: number, path: string[]): Limit[] {
  const { min, max } = boundsOf(flat, step);
  // Larger whole numbers cannot be told from their neighbours here, so they may not be what the document says.
  function isExact(limit: number | undefined): limit is number {
    return limit !== undefined && (step < 1 || Number.isSafeInteger(limit));
  }
  return [
    ...(isExact(min) ? [{ path, what: `is ${min}, the least allowed`, value: fc.constant(min) }] : []),
    ...(isExact(max) ? [{ path, what: `is ${max}, the most allowed`, value: fc.constant(max) }] : []),
  ];
}

function limitLists(flat: FlatSchema, schemas: SchemaSet, path: string[]): Limit[] {
  const item = valuesOf((flat['items'] ?? true) as JsonSchema, schemas, 'least');
  const ends = [
    ['least', flat['minItems'] ?? 0],
    ['most', flat['maxItems']],
  ] as const;
  return ends.flatMap(([end, length]) => {
    if (typeof length !== 'number' || length > MAX_ITEMS) {
      return [];
    }
    const value: fc.Arbitrary<JsonValue> =
      flat['uniqueItems'] === true
        ? uniqueLists(item, length, length)
        : fc.array(item, { minLength: length, maxLength: length });
    return [
      {
        path,
        what: `has ${length} elements, the ${end} allowed`,
        value,
        // There may be fewer different elements.
        isThere: (list) => Array.isArray(list) && list.length === length,
      },
    ];
  });
}

function limitMembers(flat: FlatSchema, schemas: SchemaSet, path: string[]): Limit[] {
  const properties = isJsonObject(flat['properties'])
    ? (flat['properties'] as Record<string, JsonSchema>)
    : {};
  return path.length >= MAX_DEPTH
    ? []
    : Object.entries(properties).flatMap(([name, schema]) => limitValues(schema, schemas, [...path, name]));
}
