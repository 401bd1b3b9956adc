import fc from 'fast-check';
import type { JsonSchema } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { FlatSchema, SchemaSet } from './schema-set.ts';
import { typesOf } from './schema-set.ts';
import { STRICT_FORMATS, textsOf } from './texts.ts';
import { boundsOf, valuesOf } from './values.ts';

/** One way to break a schema. */
export interface Wrong {
  /** Where inside the value; empty for the value itself. */
  path: string[];
  /** What is wrong there: "is null", "is longer than 32 characters". */
  what: string;
  /** What stands there instead; undefined when it is left out. */
  value: fc.Arbitrary<JsonValue> | undefined;
}

const MAX_DEPTH = 3;
/** Longer texts and lists are not sent. */
const MAX_LENGTH = 20_000;
const MAX_ITEMS = 1000;

/**
 * Ways to break a schema, each on its own, members of members included. Whether a value made so really is wrong is for
 * the caller to ask, since another branch of the schema may allow it.
 */
export function wrongValues(schema: JsonSchema, schemas: SchemaSet, path: string[] = []): Wrong[] {
  const flat = schemas.flatten(schema);
  const types = typesOf(flat);
  return [
    ...wrongTypes(types, path),
    ...outsideList(flat, path),
    ...(types.includes('string') ? wrongTexts(flat, path) : []),
    ...(types.includes('integer') || types.includes('number') ? wrongNumbers(flat, types, path) : []),
    ...(types.includes('array') ? wrongLists(flat, schemas, path) : []),
    ...(types.includes('object') ? wrongObjects(flat, schemas, path) : []),
  ];
}

/** Values of the types that are not allowed; a number as text and a text as number are the likely slips. */
function wrongTypes(types: readonly string[], path: string[]): Wrong[] {
  if (types.length === 0) {
    return [];
  }
  const numeric = types.includes('integer') || types.includes('number');
  const text = numeric ? fc.integer({ min: 1, max: 99 }).map(String) : fc.constantFrom('true', 'x', '');
  const samples: [string, string, fc.Arbitrary<JsonValue>][] = [
    ['null', 'is null', fc.constant(null)],
    ['boolean', 'is a boolean', fc.boolean()],
    ['integer', 'is a number', fc.integer({ min: 0, max: 1000 })],
    ['string', 'is a text', text],
    [
      'array',
      'is a list',
      fc.array<JsonValue>(numeric ? fc.constant(1) : fc.constant('x'), { maxLength: 1 }),
    ],
    ['object', 'is an object', fc.constant({})],
  ];
  const allowed = new Set(types.includes('number') ? [...types, 'integer'] : types);
  const wrong = samples
    .filter(([type]) => !allowed.has(type))
    .map(([, what, value]) => ({ path, what, value }));
  const fraction = fc.integer({ min: 1, max: 9 }).map((n) => n + 0.5);
  return types.includes('integer') && !types.includes('number')
    ? [...wrong, { path, what: 'is a fraction', value: fraction }]
    : wrong;
}

function outsideList(flat: FlatSchema, path: string[]): Wrong[] {
  const { enum: list, const: only, not } = flat;
  const banned = isJsonObject(not) ? (not['enum'] ?? (not['const'] === undefined ? [] : [not['const']])) : [];
  const other = fc.constantFrom<JsonValue>('other', 'OTHER', 'x');
  return [
    ...(Array.isArray(list) || only !== undefined
      ? [{ path, what: 'is none of the values that are allowed', value: other }]
      : []),
    ...(Array.isArray(banned) && banned.length > 0
      ? [{ path, what: 'is a value that is not allowed', value: fc.constantFrom(...(banned as JsonValue[])) }]
      : []),
  ];
}

function wrongTexts(flat: FlatSchema, path: string[]): Wrong[] {
  const { minLength, maxLength, pattern, format } = flat;
  const right = textsOf(flat);
  const wrong: Wrong[] = [];
  if (typeof minLength === 'number' && minLength > 0) {
    const value = fc.string({ maxLength: minLength - 1, unit: 'grapheme-ascii' });
    wrong.push({ path, what: `is shorter than ${minLength} characters`, value });
  }
  if (typeof maxLength === 'number' && maxLength < MAX_LENGTH) {
    const value = right.map((text) => text + 'a'.repeat(Math.max(1, maxLength + 1 - text.length)));
    wrong.push({ path, what: `is longer than ${maxLength} characters`, value });
  }
  if (typeof pattern === 'string') {
    const what = 'does not match its pattern';
    // A line break at the end passes for "$" in some languages, other digits and letters for "\w".
    const tails = fc.constantFrom('\n', ' ', '\u0000', 'é', '٣', '\u2028');
    wrong.push(
      { path, what, value: fc.string({ maxLength: 12, unit: 'grapheme-ascii' }) },
      { path, what, value: fc.tuple(right, tails).map(([text, tail]) => text + tail) },
      { path, what, value: fc.tuple(right, tails).map(([text, tail]) => tail + text) },
    );
  } else if (typeof format === 'string' && STRICT_FORMATS.has(format)) {
    const value = fc.constantFrom('nonsense', '2024-13-45', '999.1.1.1', '@');
    wrong.push({ path, what: `is no ${format}`, value });
  }
  return wrong;
}

function wrongNumbers(flat: FlatSchema, types: readonly string[], path: string[]): Wrong[] {
  const step = types.includes('integer') ? 1 : 0.01;
  const { min, max } = boundsOf(flat, step);
  const away = fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 1_000_000 }));
  const factor = flat['multipleOf'];
  return [
    ...(min === undefined ? [] : [{ path, what: `is below ${min}`, value: away.map((n) => min - n) }]),
    ...(max === undefined ? [] : [{ path, what: `is above ${max}`, value: away.map((n) => max + n) }]),
    ...(typeof factor === 'number'
      ? [{ path, what: `is no multiple of ${factor}`, value: away.map((n) => n * factor + factor / 2) }]
      : []),
  ];
}

function wrongLists(flat: FlatSchema, schemas: SchemaSet, path: string[]): Wrong[] {
  const { minItems, maxItems, uniqueItems } = flat;
  const schema = (flat['items'] ?? true) as JsonSchema;
  const item = valuesOf(schema, schemas, 'least');
  const wrong: Wrong[] = [];
  if (typeof minItems === 'number' && minItems > 0) {
    const value = fc.array(item, { maxLength: minItems - 1 });
    wrong.push({ path, what: `has fewer than ${minItems} elements`, value });
  }
  if (typeof maxItems === 'number' && maxItems < MAX_ITEMS) {
    const value = fc.array(item, { minLength: maxItems + 1, maxLength: maxItems + 2 });
    wrong.push({ path, what: `has more than ${maxItems} elements`, value });
  }
  if (uniqueItems === true) {
    wrong.push({ path, what: 'has an element twice', value: item.map((one) => [one, one]) });
  }
  if (path.length < MAX_DEPTH) {
    for (const inner of wrongValues(schema, schemas)) {
      if (inner.path.length === 0 && inner.value) {
        wrong.push({
          path,
          what: `has an element that ${inner.what}`,
          value: inner.value.map((one) => [one]),
        });
      }
    }
  }
  return wrong;
}

function wrongObjects(flat: FlatSchema, schemas: SchemaSet, path: string[]): Wrong[] {
  const properties = isJsonObject(flat['properties'])
    ? (flat['properties'] as Record<string, JsonSchema>)
    : {};
  const required = Array.isArray(flat['required']) ? flat['required'].map(String) : [];
  const wrong: Wrong[] = required.map((name) => ({
    path: [...path, name],
    what: 'is missing',
    value: undefined,
  }));
  if (flat['additionalProperties'] === false) {
    const what = 'is there, where no other members are allowed';
    wrong.push({ path: [...path, 'unexpected'], what, value: fc.constant('x') });
  }
  if (path.length < MAX_DEPTH) {
    for (const [name, schema] of Object.entries(properties)) {
      wrong.push(...wrongValues(schema, schemas, [...path, name]));
    }
  }
  return wrong;
}
