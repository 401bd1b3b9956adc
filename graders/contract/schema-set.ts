import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import type { JsonSchema } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { runWithin } from '../api/time-limit.ts';
import { FORMATS } from '../shared/json-formats.ts';

/** A schema with its references and `allOf` folded in. */
export type FlatSchema = Record<string, JsonValue>;

/** For one answer; patterns of the document meet what the service sent. */
const JUDGE_LIMIT_MS = 2000;
/** For a value of our own making; there are always others. */
const OWN_LIMIT_MS = 200;
const MAX_FOLDS = 20;

/** The schemas of one direction: validates values and folds references. */
export class SchemaSet {
  readonly #defs: Record<string, JsonSchema>;
  readonly #ajv = new Ajv2020({ strict: false, allErrors: false, logger: false, formats: { ...FORMATS } });
  readonly #compiled = new Map<JsonSchema, ValidateFunction>();

  constructor(defs: Record<string, JsonSchema>) {
    this.#defs = defs;
  }

  /** What is wrong with a value that the service sent, in words, or undefined. */
  problem(schema: JsonSchema, value: unknown): string | undefined {
    const validate = this.#compile(schema);
    const judged = runWithin(() => validate(value), JUDGE_LIMIT_MS);
    if (judged.late) {
      return 'it could not be compared with its schema in time';
    }
    const [error] = judged.value ? [] : (validate.errors ?? []);
    if (!error) {
      return judged.value ? undefined : 'it does not match its schema';
    }
    const extra: unknown = error.params['additionalProperty'] ?? error.params['unevaluatedProperty'];
    const detail = typeof extra === 'string' ? ` ("${extra}")` : '';
    return `${error.instancePath === '' ? 'it' : error.instancePath} ${error.message ?? 'is wrong'}${detail}`;
  }

  /** Whether a value of our own making matches for certain: one that cannot be judged in time neither matches nor not. */
  accepts(schema: JsonSchema, value: unknown): boolean {
    return this.#judge(schema, value) === true;
  }

  /** Whether a value of our own making does not match for certain. */
  rejects(schema: JsonSchema, value: unknown): boolean {
    return this.#judge(schema, value) === false;
  }

  #judge(schema: JsonSchema, value: unknown): boolean | undefined {
    const validate = this.#compile(schema);
    const judged = runWithin(() => validate(value), OWN_LIMIT_MS);
    return judged.late ? undefined : judged.value;
  }

  /** Folds `$ref` and `allOf` into one object; what cannot be merged is left to `accepts`. */
  flatten(schema: JsonSchema, folds = 0): FlatSchema {
    if (typeof schema === 'boolean' || folds > MAX_FOLDS) {
      return {};
    }
    const { $ref, allOf, ...own } = schema;
    let flat: FlatSchema = own;
    if (typeof $ref === 'string') {
      flat = merge(this.flatten(this.#defs[$ref.replace('#/$defs/', '')] ?? true, folds + 1), flat);
    }
    for (const part of Array.isArray(allOf) ? allOf : []) {
      flat = merge(flat, this.flatten(part as JsonSchema, folds + 1));
    }
    return flat;
  }

  #compile(schema: JsonSchema): ValidateFunction {
    const known = this.#compiled.get(schema);
    if (known) {
      return known;
    }
    const whole =
      typeof schema === 'boolean' ? schema : { allOf: [schema], $defs: this.#defs as Record<string, object> };
    const validate = this.#ajv.compile(whole);
    this.#compiled.set(schema, validate);
    return validate;
  }
}

function merge(a: FlatSchema, b: FlatSchema): FlatSchema {
  const merged: FlatSchema = { ...a, ...b };
  if (Array.isArray(a['required']) && Array.isArray(b['required'])) {
    merged['required'] = [...new Set([...a['required'], ...b['required']])];
  }
  if (isJsonObject(a['properties']) && isJsonObject(b['properties'])) {
    const properties: FlatSchema = { ...(a['properties'] as FlatSchema) };
    for (const [name, schema] of Object.entries(b['properties'] as FlatSchema)) {
      const other = properties[name];
      properties[name] = other === undefined ? schema : { allOf: [other, schema] };
    }
    merged['properties'] = properties;
  }
  for (const [bound, pick] of [
    ['minimum', Math.max],
    ['minLength', Math.max],
    ['minItems', Math.max],
    ['maximum', Math.min],
    ['maxLength', Math.min],
    ['maxItems', Math.min],
  ] as const) {
    const [x, y] = [a[bound], b[bound]];
    if (typeof x === 'number' && typeof y === 'number') {
      merged[bound] = pick(x, y);
    }
  }
  return merged;
}

/** The JSON types that a schema names; those that its other keywords suggest when it names none. */
export function typesOf(flat: FlatSchema): string[] {
  const { type } = flat;
  if (typeof type === 'string') {
    return [type];
  }
  if (Array.isArray(type)) {
    return type.map(String);
  }
  const hints: [string, string[]][] = [
    ['object', ['properties', 'required', 'additionalProperties']],
    ['array', ['items', 'minItems', 'maxItems', 'uniqueItems']],
    ['string', ['pattern', 'minLength', 'maxLength', 'format']],
    ['number', ['minimum', 'maximum', 'multipleOf', 'exclusiveMinimum', 'exclusiveMaximum']],
  ];
  return hints.filter(([, keys]) => keys.some((key) => key in flat)).map(([name]) => name);
}
