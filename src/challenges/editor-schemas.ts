import { z } from 'zod';
import { STEP_KINDS, StepSchema } from '../domain/api-suite-step.ts';
import { ApiSuiteSchema } from '../domain/api-suite.ts';
import { ChallengeFileSchema, ExpectationSchema } from '../domain/challenge.ts';
import { LoadPlanSchema } from '../domain/load-plan.ts';
import { LocustPlanSchema } from '../domain/locust-plan.ts';
import { DurationMs, SizeBytes } from '../domain/units.ts';

/** The files of a bundle that editors can check, by the name of their schema. */
const FILES = {
  challenge: { title: 'assay: challenge.yaml', schemas: [ChallengeFileSchema] },
  suite: { title: 'assay: suite of API tests', schemas: [ApiSuiteSchema] },
  load: { title: 'assay: load plan', schemas: [LoadPlanSchema, LocustPlanSchema] },
  expect: { title: 'assay: expect.yaml of a sample submission', schemas: [ExpectationSchema] },
} as const;

export type EditorSchemaName = keyof typeof FILES;
export const EDITOR_SCHEMA_NAMES = Object.keys(FILES) as EditorSchemaName[];

type JsonSchema = Record<string, unknown>;

/**
 * A JSON Schema (2020-12) for editors, made from the schema that bundles are checked against. It knows keys, types and
 * words; what depends on other places of the file (variables, ids, steps that exclude each other) only the check knows.
 */
export function editorSchema(name: EditorSchemaName): JsonSchema {
  const { title, schemas } = FILES[name];
  const definitions: JsonSchema = {};
  const made = schemas.map((schema, index) => toJsonSchema(schema, `part${index}`, definitions));
  if (name === 'suite') {
    definitions['step'] = stepSchema(definitions);
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title,
    ...(made.length === 1 ? made[0] : { anyOf: made }),
    $defs: definitions,
  };
}

/** A step is one of several objects, told apart by their leading key. */
function stepSchema(definitions: JsonSchema): JsonSchema {
  const kinds = Object.entries(STEP_KINDS);
  return {
    type: 'object',
    oneOf: kinds.map(([key]) => ({ required: [key] })),
    allOf: kinds.map(([key, schema]) => ({
      if: { required: [key] },
      // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
      then: toJsonSchema(schema, key, definitions),
    })),
  };
}

/** The schema without its definitions, which go to the common ones under names that begin with `prefix`. */
function toJsonSchema(schema: z.ZodType, prefix: string, definitions: JsonSchema): JsonSchema {
  const made = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      Object.assign(jsonSchema, REPLACED.get(zodSchema));
      if (/^(?:starts|ends)_with$/.test(jsonSchema.format ?? '')) {
        // Its pattern says the same, and is part of the standard.
        delete jsonSchema.format;
      }
    },
  });
  const named = JSON.parse(
    JSON.stringify(made).replaceAll('"#/$defs/__', `"#/$defs/${prefix}_`),
  ) as JsonSchema;
  const { $schema: _dialect, $defs: own, ...rest } = named;
  for (const [name, definition] of Object.entries(own ?? {})) {
    definitions[name.replace('__', `${prefix}_`)] = definition as JsonSchema;
  }
  return rest;
}

/** What zod only sees as a function, or as text of any kind. */
const REPLACED = new Map<unknown, JsonSchema>([
  [StepSchema, { $ref: '#/$defs/step' }],
  [DurationMs, { type: 'string', pattern: String.raw`^\d+(\.\d+)?\s*(ms|s|m|h|d)$` }],
  [SizeBytes, { type: 'string', pattern: String.raw`^\d+(\.\d+)?\s*(B|KB|MB|GB|KiB|MiB|GiB)$` }],
]);
