import fc from 'fast-check';
import type { ContractOperation } from '../../src/domain/contract-plan.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { limitValues } from './limit-values.ts';
import { jsonOf, keyOf, place, placeInBody, validCases } from './request-case.ts';
import type { RequestCase } from './request-case.ts';
import type { SchemaSet } from './schema-set.ts';

/** A request that the document just allows, such as with the longest text. */
export interface LimitCase {
  /** After "a valid request whose": `query parameter "limit" is 100, the most allowed`. */
  what: string;
  cases: fc.Arbitrary<RequestCase>;
  /** Whether what was made is at the limit. */
  isThere: (made: RequestCase) => boolean;
  /** How deep inside the body it is. */
  depth: number;
}

/** Every limit of the operation's input, one at a time, and the least body that may be. */
export function limitCases(operation: ContractOperation, schemas: SchemaSet): LimitCase[] {
  const { body } = operation;
  const few = validCases(operation, schemas, 'least');
  const all = validCases(operation, schemas, 'full');
  // What a path stands for is there or not; its limits are for what makes it.
  const parameters = operation.parameters
    .filter((one) => !one.linked && (one.in === 'query' || one.in === 'header'))
    .flatMap((one) =>
      limitValues(one.schema, schemas)
        .filter(({ path }) => path.length === 0)
        .map(({ what, value, isThere }) => ({
          what: `${one.in} parameter "${one.name}" ${what}`,
          depth: 0,
          cases: fc.tuple(few, value).map(([base, made]) => ({
            ...base,
            parameters: { ...base.parameters, [keyOf(one)]: made },
          })),
          isThere: (made: RequestCase) => isThere?.(made.parameters[keyOf(one)] ?? null) ?? true,
        })),
    );
  if (!body) {
    return parameters;
  }
  const inBody = limitValues(body.schema, schemas).map((limit) => ({
    what: `${placeInBody(limit.path)} ${limit.what}`,
    depth: limit.path.length,
    cases: fc
      .tuple(limit.path.length > 1 ? all : few, limit.value)
      .map(([base, made]): RequestCase => ({ ...base, body: { json: place(jsonOf(base), limit, made) } })),
    isThere: (made: RequestCase) => limit.isThere?.(valueAt(jsonOf(made), limit.path)) ?? true,
  }));
  const least = { what: 'body has no more than it must', cases: few, isThere: () => true, depth: 0 };
  return [...parameters, least, ...inBody];
}

function valueAt(value: JsonValue, [name, ...rest]: readonly string[]): JsonValue {
  if (name === undefined) {
    return value;
  }
  return isJsonObject(value) ? valueAt((value as Record<string, JsonValue>)[name] ?? null, rest) : null;
}
