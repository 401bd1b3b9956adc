import fc from 'fast-check';
import type { ContractOperation, ContractParameter, JsonSchema } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { SchemaSet } from './schema-set.ts';
import { typesOf } from './schema-set.ts';
import { valuesOf } from './values.ts';
import type { Extent } from './values.ts';
import { wrongValues } from './wrong-values.ts';
import type { Wrong } from './wrong-values.ts';

/** One request of an operation, before what earlier answers gave is put in. */
export interface RequestCase {
  /** Which of the known resources the path stands for; -1 for the made-up values in `parameters`. */
  known: number;
  /** Parameter, as "query limit", to its value. */
  parameters: Record<string, JsonValue>;
  body: { json: JsonValue } | { text: string } | undefined;
}

/** A way to get an operation's input wrong. */
export interface WrongCase {
  /** After "a request whose": `query parameter "limit" is above 100`. */
  what: string;
  /** The rest of the request is made up, or taken from one that the service has accepted. */
  cases: (accepted?: RequestCase) => fc.Arbitrary<RequestCase>;
  /** Another branch of a schema may allow what one forbids: this tells. */
  isWrong: (made: RequestCase) => boolean;
  /** How deep inside the body it is. */
  depth: number;
}

/** Enough to see whether a way to be wrong is one. */
const SAMPLES = [3, 20];

/** Requests that the document allows. */
export function validCases(
  operation: ContractOperation,
  schemas: SchemaSet,
  extent: Extent = 'some',
): fc.Arbitrary<RequestCase> {
  const required = operation.parameters.filter((one) => one.required);
  const parameters = extent === 'least' ? required : operation.parameters.filter((one) => !one.linked);
  const values = fc.record(
    Object.fromEntries(
      parameters.map((one) => [keyOf(one), valuesOf(withItems(one.schema, schemas), schemas, extent)]),
    ),
    { requiredKeys: extent === 'full' ? parameters.map(keyOf) : required.map(keyOf), noNullPrototype: true },
  ) as fc.Arbitrary<Record<string, JsonValue>>;
  const known = fc.oneof(
    { arbitrary: fc.integer({ min: 0, max: 1000 }), weight: 3 },
    { arbitrary: fc.constant(-1), weight: 1 },
  );
  return fc.record(
    { known, parameters: values, body: bodies(operation, schemas, extent) },
    { noNullPrototype: true },
  );
}

/** A list of nothing cannot be sent as a parameter. */
function withItems(schema: JsonSchema, schemas: SchemaSet): JsonSchema {
  const flat = schemas.flatten(schema);
  return typesOf(flat).includes('array')
    ? { ...flat, minItems: Math.max(1, Number(flat['minItems'] ?? 1)) }
    : flat;
}

function bodies(
  { body }: ContractOperation,
  schemas: SchemaSet,
  extent: Extent,
): fc.Arbitrary<RequestCase['body']> {
  if (!body) {
    return fc.constant(undefined);
  }
  const made = valuesOf(body.schema, schemas, extent).map((json) => ({ json }));
  return body.required || extent === 'full' ? made : fc.option(made, { nil: undefined });
}

/** Whether a made-up request is one that the document allows. */
export function isValid(operation: ContractOperation, made: RequestCase, schemas: SchemaSet): boolean {
  const { body, parameters } = operation;
  const fits = !body || !made.body || ('json' in made.body && schemas.accepts(body.schema, made.body.json));
  return (
    fits &&
    parameters.every((one) => {
      const value = made.parameters[keyOf(one)];
      return value === undefined || (isSendable(one, value) && schemas.accepts(one.schema, value));
    })
  );
}

/** Whether a parameter arrives as the value that was judged: all that is sent of it is text. */
function isSendable({ in: where, joined }: ContractParameter, value: JsonValue): boolean {
  if (where === 'path') {
    return true;
  }
  const list = Array.isArray(value) ? value : undefined;
  const hasText = list ? list.length > 0 && !list.includes(null) : value !== null;
  const isSplit = list !== undefined && (joined || where === 'header');
  return (
    hasText &&
    !(isSplit && list.some((item) => asText(item).includes(','))) &&
    (where !== 'header' || headerText(asText(value)) === asText(value))
  );
}

/** Where in a body, in words. */
export function placeInBody(path: readonly string[]): string {
  return path.length === 0 ? 'body' : `"${path.join('.')}" in the body`;
}

/** An accepted request without what it need not have: that could be taken now, such as a name. */
export function withoutOptional(
  operation: ContractOperation,
  made: RequestCase,
  schemas: SchemaSet,
): RequestCase {
  const required = new Set(operation.parameters.filter((one) => one.required).map(keyOf));
  const parameters = Object.fromEntries(Object.entries(made.parameters).filter(([key]) => required.has(key)));
  const json = jsonOf(made);
  const members = operation.body && schemas.flatten(operation.body.schema)['required'];
  if (!isJsonObject(json) || !Array.isArray(members)) {
    return { ...made, parameters };
  }
  const kept = Object.entries(json).filter(([name]) => members.includes(name));
  return { ...made, parameters, body: { json: Object.fromEntries(kept) } };
}

/** Every way that is known to get the operation's input wrong, one at a time. */
export function wrongCases(operation: ContractOperation, schemas: SchemaSet): WrongCase[] {
  const ways = [
    ...operation.parameters
      .filter((one) => !one.linked && one.in !== 'cookie')
      .flatMap((parameter) => wrongParameter(parameter, operation, schemas)),
    ...wrongBodies(operation, schemas),
  ];
  return ways.filter(({ cases, isWrong }) =>
    SAMPLES.some((numRuns) => fc.sample(cases(), { seed: 1, numRuns }).some(isWrong)),
  );
}

function wrongParameter(
  parameter: ContractParameter,
  operation: ContractOperation,
  schemas: SchemaSet,
): WrongCase[] {
  const key = keyOf(parameter);
  const place = `${parameter.in} parameter "${parameter.name}"`;
  const few = validCases(operation, schemas, 'least');
  return wrongValues(parameter.schema, schemas)
    .filter(({ path, value }) => path.length === 0 && value !== undefined)
    .map(({ what, value }) => ({
      what: `${place} ${what}`,
      cases: (accepted) =>
        fc.tuple(accepted ? fc.constant(accepted) : few, value ?? fc.constant(null)).map(([base, wrong]) => ({
          ...base,
          known: parameter.in === 'path' ? -1 : base.known,
          parameters: { ...base.parameters, [key]: wrong },
        })),
      depth: 0,
      isWrong: ({ parameters }) => isWrongAsText(parameter, parameters[key] ?? null, schemas),
    }));
}

/** On the wire everything is text: a value is wrong only if no reading of its text is right. */
function isWrongAsText(parameter: ContractParameter, value: JsonValue, schemas: SchemaSet): boolean {
  const text = asText(value);
  if (text.trim() === '' || text !== text.trim() || /[^\x20-\x7e]/.test(text)) {
    return false;
  }
  const readings: JsonValue[] = [text, text.split(',')];
  if (Number.isFinite(Number(text))) {
    readings.push(Number(text));
  }
  if (/^(?:true|false|1|0)$/i.test(text)) {
    readings.push(/^(?:true|1)$/i.test(text));
  }
  return readings.every((reading) => schemas.rejects(parameter.schema, reading));
}

function wrongBodies(operation: ContractOperation, schemas: SchemaSet): WrongCase[] {
  const { body } = operation;
  if (!body) {
    return [];
  }
  const few = validCases(operation, schemas, 'least');
  const all = validCases(operation, schemas, 'full');
  const broken = fc.constantFrom('{', '{"a":', '[1,', '{"a" 1}', 'nonsense').map((text) => ({ text }));
  function bases(accepted?: RequestCase): fc.Arbitrary<RequestCase> {
    return accepted ? fc.constant(accepted) : few;
  }
  function noJson(accepted?: RequestCase): fc.Arbitrary<RequestCase> {
    return fc.tuple(bases(accepted), broken).map(([base, text]) => ({ ...base, body: text }));
  }
  function none(accepted?: RequestCase): fc.Arbitrary<RequestCase> {
    return bases(accepted).map((base) => ({ ...base, body: undefined }));
  }
  const unlike = wrongValues(body.schema, schemas).map((wrong) => ({
    what: `${placeInBody(wrong.path)} ${wrong.what}`,
    cases: (accepted?: RequestCase) =>
      fc
        .tuple(wrong.path.length > 1 ? all : bases(accepted), wrong.value ?? fc.constant(null))
        .map(
          ([base, value]): RequestCase => ({ ...base, body: { json: place(jsonOf(base), wrong, value) } }),
        ),
    depth: wrong.path.length,
    isWrong: (made: RequestCase) => schemas.rejects(body.schema, jsonOf(made)),
  }));
  return [
    { what: 'body is no JSON', cases: noJson, isWrong: () => true, depth: 0 },
    ...(body.required ? [{ what: 'body is missing', cases: none, isWrong: () => true, depth: 0 }] : []),
    ...unlike,
  ];
}

export function jsonOf({ body }: RequestCase): JsonValue {
  return body && 'json' in body ? body.json : null;
}

/** Puts the wrong value where it belongs; nothing else changes. */
export function place(
  value: JsonValue,
  { path, value: made }: Pick<Wrong, 'path' | 'value'>,
  wrong: JsonValue,
): JsonValue {
  const [name, ...rest] = path;
  if (name === undefined) {
    return wrong;
  }
  const owner = isJsonObject(value) ? (value as Record<string, JsonValue>) : {};
  if (rest.length === 0 && made === undefined) {
    const { [name]: _left, ...others } = owner;
    return others;
  }
  return { ...owner, [name]: place(owner[name] ?? {}, { path: rest, value: made }, wrong) };
}

export function keyOf(parameter: Pick<ContractParameter, 'in' | 'name'>): string {
  return `${parameter.in} ${parameter.name}`;
}

/** Header values are printable ASCII without spaces around. */
export function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '').trim();
}

/** A value as it stands in a URL or header. */
export function asText(value: JsonValue): string {
  if (Array.isArray(value)) {
    return value.map(asText).join(',');
  }
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value);
}
