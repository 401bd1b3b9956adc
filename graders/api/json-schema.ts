import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { FORMATS } from '../shared/json-formats.ts';
import { SuiteFault } from './failures.ts';

const ajv = new Ajv2020({
  strict: true,
  strictTypes: false,
  strictRequired: false,
  allErrors: false,
  formats: { ...FORMATS },
});
const compiled = new WeakMap<object, ValidateFunction>();

/**
 * What is wrong with a value by a JSON Schema (2020-12), in words, or undefined when nothing is.
 * Throws `SuiteFault` for a schema that is none.
 */
export function validateSchema(schema: JsonValue, value: unknown): string | undefined {
  if (typeof schema === 'boolean' || schema === null || typeof schema !== 'object') {
    return schema === false ? 'nothing satisfies the schema "false"' : undefined;
  }
  const validate = compiled.get(schema) ?? compile(schema);
  if (validate(value)) {
    return undefined;
  }
  const [error] = validate.errors ?? [];
  const place = error?.instancePath ? `at ${error.instancePath}: ` : '';
  const detail =
    error?.keyword === 'additionalProperties' ? ` (${String(error.params['additionalProperty'])})` : '';
  return `${place}${error?.message ?? 'does not satisfy the schema'}${detail}`;
}

function compile(schema: object): ValidateFunction {
  try {
    const validate = ajv.compile(schema);
    compiled.set(schema, validate);
    return validate;
  } catch (error) {
    throw new SuiteFault(
      `the JSON Schema cannot be used: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
