import { Ajv2020 } from 'ajv/dist/2020.js';
import type { JsonSchema } from '../../domain/contract-plan.ts';
import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import type { OpenApiSource, Placed } from './openapi-source.ts';

const NAMED = /^#\/components\/schemas\/([^/]+)$/;
const ONE = ['items', 'additionalProperties', 'not', 'contains', 'propertyNames', 'if', 'then', 'else'];
const SEVERAL = ['allOf', 'anyOf', 'oneOf', 'prefixItems'];
const BY_NAME = ['properties', 'patternProperties', 'dependentSchemas'];
/** Says nothing about which values are right. */
const PROSE = [
  'title',
  'description',
  'summary',
  'xml',
  'externalDocs',
  'discriminator',
  'deprecated',
  'example',
  'nullable',
];

const ajv = new Ajv2020({ strict: false, allErrors: true, logger: false });

/**
 * Turns the schemas of a document into plain JSON Schema (2020-12), for one direction: what is `readOnly` is not sent,
 * what is `writeOnly` does not come back. Named schemas are gathered in `defs`; references point at `#/$defs/…`.
 */
export class SchemaReader {
  readonly defs: Record<string, JsonSchema> = {};
  readonly #source: OpenApiSource;
  readonly #hidden: 'readOnly' | 'writeOnly';
  /** References that are being copied in, to see circles. */
  readonly #open: string[] = [];

  constructor(source: OpenApiSource, direction: 'request' | 'response') {
    this.#source = source;
    this.#hidden = direction === 'request' ? 'readOnly' : 'writeOnly';
  }

  /** Reads the schema at a place and reports what is wrong in it. */
  read(from: Placed): JsonSchema {
    const schema = this.#convert(from);
    this.#check(schema, from);
    return schema;
  }

  #convert({ value, place }: Placed): JsonSchema {
    if (typeof value === 'boolean') {
      return value;
    }
    if (!isJsonObject(value)) {
      this.#source.report(place, 'expected a schema (an object)');
      return true;
    }
    const { $ref, ...beside } = value;
    if ($ref !== undefined) {
      const target = this.#reference($ref, place);
      const alone = this.#source.old || Object.keys(beside).every((key) => PROSE.includes(key));
      return alone ? target : { allOf: [target, this.#convert({ value: beside, place })] };
    }
    const schema: Record<string, JsonValue> = {};
    for (const [key, inner] of Object.entries(value)) {
      if (!PROSE.includes(key) && !key.startsWith('$')) {
        schema[key] = this.#keyword(key, { value: inner, place: [...place, key] });
      }
    }
    this.#leaveOutHidden(schema, value);
    if (value['example'] !== undefined && !Array.isArray(schema['examples'])) {
      schema['examples'] = [value['example'] as JsonValue];
    }
    return this.#source.old ? fromOpenApi30(schema, value['nullable'] === true) : schema;
  }

  #keyword(key: string, { value, place }: Placed): JsonValue {
    if (ONE.includes(key) && (isJsonObject(value) || typeof value === 'boolean')) {
      return this.#convert({ value, place });
    }
    if (SEVERAL.includes(key) && Array.isArray(value)) {
      return value.map((item: unknown, index) => this.#convert({ value: item, place: [...place, index] }));
    }
    if (BY_NAME.includes(key) && isJsonObject(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([name, item]) => [
          name,
          this.#convert({ value: item, place: [...place, name] }),
        ]),
      );
    }
    return value as JsonValue;
  }

  /** A named schema is read once and referred to, so that it may contain itself; any other is copied in. */
  #reference(ref: unknown, place: Placed['place']): JsonSchema {
    const at = [...place, '$ref'];
    const target = this.#source.lookUp(ref, at);
    if (!target || typeof ref !== 'string') {
      return true;
    }
    const name = NAMED.exec(ref)?.[1];
    if (name !== undefined) {
      if (!Object.hasOwn(this.defs, name)) {
        this.defs[name] = true;
        this.defs[name] = this.read(target);
      }
      return { $ref: `#/$defs/${name}` };
    }
    if (this.#open.includes(ref)) {
      this.#source.report(at, `"${ref}" contains itself`, 'give it a name under components/schemas');
      return true;
    }
    this.#open.push(ref);
    const schema = this.#convert(target);
    this.#open.pop();
    return schema;
  }

  #leaveOutHidden(schema: Record<string, JsonValue>, original: Record<string, unknown>): void {
    const properties = original['properties'];
    if (!isJsonObject(properties) || !isJsonObject(schema['properties'])) {
      return;
    }
    const hidden = Object.entries(properties)
      .filter(([, value]) => isJsonObject(value) && value[this.#hidden] === true)
      .map(([name]) => name);
    for (const name of hidden) {
      delete (schema['properties'] as Record<string, unknown>)[name];
    }
    if (hidden.length > 0 && Array.isArray(schema['required'])) {
      schema['required'] = schema['required'].filter(
        (name) => typeof name !== 'string' || !hidden.includes(name),
      );
    }
  }

  #check(schema: JsonSchema, { place }: Placed): void {
    if (typeof schema === 'boolean' || ajv.validateSchema(schema) === true) {
      return this.#checkPatterns(schema, place);
    }
    const [error] = ajv.errors ?? [];
    const inside = (error?.instancePath ?? '').split('/').slice(1);
    this.#source.report([...place, ...inside], `the schema is wrong here: it ${error?.message ?? 'is none'}`);
  }

  #checkPatterns(schema: JsonValue, place: Placed['place']): void {
    for (const [key, value] of Object.entries(isObject(schema) ? schema : {})) {
      const pattern = key === 'pattern' || key === 'x-assay-pattern' ? value : undefined;
      if (typeof pattern === 'string' && !isPattern(pattern)) {
        this.#source.report([...place, key], `"${pattern}" is not a regular expression`);
      }
      this.#checkPatterns(value, [...place, key]);
    }
  }
}

function isObject(value: JsonValue): value is Record<string, JsonValue> | JsonValue[] {
  return typeof value === 'object' && value !== null;
}

function isPattern(pattern: string): boolean {
  try {
    // oxlint-disable-next-line no-new
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}

/** OpenAPI 3.0 says `nullable`, and makes exclusive bounds flags beside the bounds. */
function fromOpenApi30(schema: Record<string, JsonValue>, nullable: boolean): JsonSchema {
  for (const [flag, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (schema[flag] === true && schema[bound] !== undefined) {
      schema[flag] = schema[bound];
      delete schema[bound];
    } else if (typeof schema[flag] === 'boolean') {
      delete schema[flag];
    }
  }
  if (!nullable) {
    return schema;
  }
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(null)) {
    schema['enum'] = [...schema['enum'], null];
  }
  if (typeof schema['type'] === 'string') {
    return { ...schema, type: [schema['type'], 'null'] };
  }
  return schema['enum'] ? schema : { anyOf: [schema, { type: 'null' }] };
}
