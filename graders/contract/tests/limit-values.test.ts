import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContractOperation, ContractParameter, JsonSchema } from '../../../src/domain/contract-plan.ts';
import { limitCases } from '../limit-cases.ts';
import { isValid, validCases } from '../request-case.ts';
import type { RequestCase } from '../request-case.ts';
import { SchemaSet } from '../schema-set.ts';
import { valuesOf } from '../values.ts';

const schemas = new SchemaSet({});

function operationWith(parts: Partial<ContractOperation>): ContractOperation {
  return {
    id: 'POST /notes',
    method: 'POST',
    path: '/notes',
    parameters: [],
    body: undefined,
    responses: {},
    secured: false,
    links: [],
    ...parts,
  } as unknown as ContractOperation;
}

function parameter(
  where: ContractParameter['in'],
  schema: JsonSchema,
  required = true,
): Partial<ContractOperation> {
  return { parameters: [{ name: 'p', in: where, required, schema, joined: false, linked: false }] };
}

function bodyOf(schema: JsonSchema): Partial<ContractOperation> {
  return {
    body: { type: 'application/json', required: true, schema },
  } as unknown as Partial<ContractOperation>;
}

/** The limits that would be sent, with one request of each. */
function limitsOf(parts: Partial<ContractOperation>): Record<string, RequestCase> {
  const operation = operationWith(parts);
  return Object.fromEntries(
    limitCases(operation, schemas).flatMap(({ what, cases, isThere }) => {
      const made = fc
        .sample(cases, { seed: 1, numRuns: 20 })
        .find((one) => isThere(one) && isValid(operation, one, schemas));
      return made ? [[what, made]] : [];
    }),
  );
}

function validOf(parts: Partial<ContractOperation>, runs = 100): RequestCase[] {
  const operation = operationWith(parts);
  return fc
    .sample(validCases(operation, schemas), { seed: 1, numRuns: runs })
    .filter((made) => isValid(operation, made, schemas));
}

describe('the limits of a list', () => {
  it('are not sent where there are fewer different elements', () => {
    const few = { type: 'array', uniqueItems: true, maxItems: 10, items: { enum: ['a', 'b', 'c'] } };
    const empty = { type: 'array', uniqueItems: true, minItems: 2, items: { type: 'object' } };

    expect(Object.keys(limitsOf(bodyOf(few)))).not.toContain('body has 10 elements, the most allowed');
    expect(Object.keys(limitsOf(bodyOf(empty)))).toEqual([]);
  });

  it('are sent with different elements, inside the body too', () => {
    const list = { type: 'array', uniqueItems: true, maxItems: 3, items: { enum: ['a', 'b', 'c'] } };
    const body = { type: 'object', properties: { tags: list } };
    const made = limitsOf(bodyOf(body))['"tags" in the body has 3 elements, the most allowed']?.body;

    expect(new Set((made as { json: { tags: string[] } }).json.tags).size).toBe(3);
  });
});

it('gives up a pattern of the document that backtracks without end', () => {
  const slow = { type: 'string', pattern: '^(b|bb|[^c]*)*c$', maxLength: 60 };

  expect(Object.keys(limitsOf(bodyOf(slow))).join()).not.toContain('60 characters');
  const text = `${'a'.repeat(60)}b`;
  const runaway = { type: 'string', pattern: '^(a+)+$' };
  // What cannot be told must not be sent as valid, nor as invalid.
  expect([schemas.accepts(runaway, text), schemas.rejects(runaway, text)]).toEqual([false, false]);
}, 60_000);

it('makes whole numbers for bounds of 64 bits, and sends no limit that it cannot spell', () => {
  const long = { type: 'integer', minimum: 0, maximum: 2 ** 63 };
  const beyond = { type: 'integer', minimum: 2 ** 60 };
  const wide = { type: 'number', maximum: 1e300, minimum: -1e300 };

  for (const schema of [long, beyond, wide]) {
    expect(fc.sample(valuesOf(schema, schemas), 20)).toHaveLength(20);
  }
  expect(Object.keys(limitsOf(bodyOf(long)))).toEqual([
    'body has no more than it must',
    'body is 0, the least allowed',
  ]);
});

describe('a parameter', () => {
  it('that is a list has an element', () => {
    const made = validOf(parameter('query', { type: 'array', items: { type: 'integer' } }));

    expect(made).toHaveLength(100);
    expect(made.every(({ parameters }) => (parameters['query p'] as unknown[]).length > 0)).toBe(true);
  });

  it('is never null, which has no text', () => {
    const made = validOf(parameter('query', { enum: ['new', null] }));

    expect(new Set(made.map(({ parameters }) => parameters['query p']))).toEqual(new Set(['new']));
    expect(Object.keys(limitsOf(parameter('query', { enum: ['new', null] })))).toEqual([
      'query parameter "p" is "new"',
    ]);
  });

  it('arrives in a header as it was made', () => {
    const made = validOf(parameter('header', { type: 'string', maxLength: 5 }));

    expect(made.length).toBeGreaterThan(20);
    for (const { parameters } of made) {
      expect(parameters['header p']).toMatch(/^(?! )[\x20-\x7e]*(?<! )$/);
    }
  });
});
