import { Ajv2020 } from 'ajv/dist/2020.js';
import type { ValidateFunction } from 'ajv';
import { isIP } from 'node:net';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { SuiteFault } from './failures.ts';

/** Formats that suites may name; an unknown one is the suite's mistake, never a silent pass. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) =>
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text)),
  date: (text) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text)),
  uri: (text) => URL.canParse(text),
  email: (text) => /^[^\s@]{1,64}@[^\s@.]+(?:\.[^\s@.]+)+$/.test(text.slice(0, 320)),
  uuid: (text) => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(text),
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
};

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
