import fc from 'fast-check';
import type { JsonSchema } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { FlatSchema, SchemaSet } from './schema-set.ts';
import { typesOf } from './schema-set.ts';
import { textsOf } from './texts.ts';

/** How much of what a schema leaves open is made. */
export type Extent = 'least' | 'some' | 'full';

/** Deeper inside itself a schema gets what it asks for and no more. */
const MAX_DEPTH = 4;
const MAX_ITEMS = 4;
/** Of so many times the items that are wanted, enough mostly differ. */
const SPARE = 3;
/** Whole numbers beyond are rarely meant where a document names no bound. */
const INT32 = 2 ** 31 - 1;

/**
 * Values for a schema. They nearly always match; the caller asks `accepts`, since some keywords (`not`, `if`) are not
 * built for. `least` makes required members only, `full` all of them, `some` chooses.
 */
export function valuesOf(
  schema: JsonSchema,
  schemas: SchemaSet,
  extent: Extent = 'some',
  depth = 0,
): fc.Arbitrary<JsonValue> {
  const flat = schemas.flatten(schema);
  const made = madeValues(flat, schemas, extent, depth);
  const examples = Array.isArray(flat['examples']) ? flat['examples'] : [];
  return examples.length === 0
    ? made
    : fc.oneof({ arbitrary: made, weight: 3 }, { arbitrary: fc.constantFrom(...examples), weight: 1 });
}

function madeValues(
  flat: FlatSchema,
  schemas: SchemaSet,
  extent: Extent,
  depth: number,
): fc.Arbitrary<JsonValue> {
  if (flat['const'] !== undefined) {
    return fc.constant(flat['const']);
  }
  if (Array.isArray(flat['enum']) && flat['enum'].length > 0) {
    return fc.constantFrom(...flat['enum']);
  }
  const branches = [flat['oneOf'], flat['anyOf']].find(Array.isArray);
  if (branches && branches.length > 0) {
    const { oneOf: _one, anyOf: _any, ...rest } = flat;
    return fc.oneof(
      ...branches.map((branch) => {
        const whole = schemas.flatten({ allOf: [rest, branch] });
        return madeValues(whole, schemas, extent, depth);
      }),
    );
  }
  const types = typesOf(flat);
  const kinds = types.length === 0 ? ['string', 'integer', 'boolean'] : types;
  return fc.oneof(...kinds.map((type) => ofType(type, flat, schemas, extent, depth)));
}

function ofType(
  type: string,
  flat: FlatSchema,
  schemas: SchemaSet,
  extent: Extent,
  depth: number,
): fc.Arbitrary<JsonValue> {
  switch (type) {
    case 'string':
      return textsOf(flat);
    case 'integer':
      return integers(flat);
    case 'number':
      return numbers(flat);
    case 'boolean':
      return fc.boolean();
    case 'array':
      return lists(flat, schemas, extent, depth);
    case 'object':
      return objects(flat, schemas, extent, depth);
    default:
      return fc.constant(null);
  }
}

/** The bounds of a number, both included; `step` apart from exclusive ones. */
export function boundsOf(
  flat: FlatSchema,
  step: number,
): { min: number | undefined; max: number | undefined } {
  const low = [asNumber(flat['minimum']), plus(flat['exclusiveMinimum'], step)].filter(
    (n) => n !== undefined,
  );
  const high = [asNumber(flat['maximum']), plus(flat['exclusiveMaximum'], -step)].filter(
    (n) => n !== undefined,
  );
  return {
    min: low.length > 0 ? Math.max(...low) : undefined,
    max: high.length > 0 ? Math.min(...high) : undefined,
  };
}

function asNumber(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

function plus(value: unknown, step: number): number | undefined {
  return typeof value === 'number' ? value + step : undefined;
}

function integers(flat: FlatSchema): fc.Arbitrary<number> {
  const factor = asNumber(flat['multipleOf']) ?? 1;
  const { min, max } = boundsOf(flat, 1);
  const low = Math.ceil(safe(safe(min ?? Math.min(-INT32, max ?? 0)) / factor));
  const high = Math.floor(safe(safe(max ?? Math.max(INT32, min ?? 0)) / factor));
  return fc.integer({ min: Math.min(low, high), max: high }).map((n) => n * factor + 0);
}

/** Whole numbers beyond, such as the ends of 64 bits, cannot be drawn, nor kept apart by every service. */
function safe(n: number): number {
  return Math.min(Math.max(n, -Number.MAX_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
}

/** Hundredths: numbers that every service can keep. */
function numbers(flat: FlatSchema): fc.Arbitrary<number> {
  const { min, max } = boundsOf(flat, 0.01);
  const low = Math.ceil(safe((min ?? Math.min(-1e6, max ?? 0)) * 100));
  const high = Math.floor(safe((max ?? Math.max(1e6, min ?? 0)) * 100));
  const factor = asNumber(flat['multipleOf']);
  return factor === undefined
    ? fc.integer({ min: Math.min(low, high), max: high }).map((n) => n / 100 + 0)
    : integers(flat);
}

function lists(
  flat: FlatSchema,
  schemas: SchemaSet,
  extent: Extent,
  depth: number,
): fc.Arbitrary<JsonValue[]> {
  const minLength = asNumber(flat['minItems']) ?? 0;
  const most = depth >= MAX_DEPTH || extent === 'least' ? minLength : minLength + MAX_ITEMS;
  const maxLength = Math.max(minLength, Math.min(asNumber(flat['maxItems']) ?? most, most));
  if (maxLength === 0) {
    return fc.constant([]);
  }
  const items = valuesOf((flat['items'] ?? true) as JsonSchema, schemas, extent, depth + 1);
  return flat['uniqueItems'] === true
    ? uniqueLists(items, minLength, maxLength)
    : fc.array(items, { minLength, maxLength });
}

/** `fc.uniqueArray` with a least length never ends where there are fewer different items; these lists are shorter then. */
export function uniqueLists(
  items: fc.Arbitrary<JsonValue>,
  minLength: number,
  maxLength: number,
): fc.Arbitrary<JsonValue[]> {
  const lists = fc.uniqueArray(items, { maxLength, selector: (item) => JSON.stringify(item) });
  const spare = fc.array(items, { minLength: minLength * SPARE, maxLength: minLength * SPARE });
  return fc
    .tuple(lists, spare)
    .map(([list, more]) =>
      list.length >= minLength ? list : distinct([...list, ...more]).slice(0, minLength),
    );
}

/** The items of a list, each once. */
function distinct(list: readonly JsonValue[]): JsonValue[] {
  return [...new Map(list.map((item) => [JSON.stringify(item), item])).values()];
}

function objects(
  flat: FlatSchema,
  schemas: SchemaSet,
  extent: Extent,
  depth: number,
): fc.Arbitrary<Record<string, JsonValue>> {
  const properties = isJsonObject(flat['properties']) ? flat['properties'] : {};
  const required = Array.isArray(flat['required']) ? flat['required'].map(String) : [];
  const least = extent === 'least' || depth >= MAX_DEPTH;
  const names = least ? required : [...new Set([...required, ...Object.keys(properties)])];
  const model = Object.fromEntries(
    names.map((name) => [
      name,
      valuesOf((properties[name] ?? true) as JsonSchema, schemas, extent, depth + 1),
    ]),
  );
  const others = flat['additionalProperties'];
  if (names.length === 0 && isJsonObject(others) && !least) {
    const values = valuesOf(others as JsonSchema, schemas, extent, depth + 1);
    return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), values, { maxKeys: 3, noNullPrototype: true });
  }
  const requiredKeys = extent === 'full' ? names : required;
  return fc.record(model, { requiredKeys, noNullPrototype: true }) as fc.Arbitrary<Record<string, JsonValue>>;
}
