import { z } from 'zod';
import type { JsonValue } from './json-value.ts';
import type { Skill, Visibility } from './verdict.ts';

/** A JSON Schema (2020-12) whose references point at `#/$defs/…`. */
export type JsonSchema = boolean | { [keyword: string]: JsonValue };

export interface ContractParameter {
  name: string;
  in: 'path' | 'query' | 'header' | 'cookie';
  required: boolean;
  schema: JsonSchema;
  /** A list is sent as one value with commas instead of repeated. */
  joined: boolean;
  /** Sent only with a value that an earlier answer gave, through a link: nobody can make up a page's cursor. */
  linked: boolean;
}

/** Says where in an answer the parameters of another operation come from. */
export interface ContractLink {
  /** Id of the operation it leads to. */
  operation: string;
  /** Parameter → runtime expression: "$response.body#/id", "$request.path.id", or a constant. */
  parameters: Record<string, JsonValue>;
}

export interface ContractResponse {
  /** Media type → schema of its body; undefined when no body is documented. */
  content: Record<string, JsonSchema> | undefined;
  headers: { name: string; required: boolean; schema: JsonSchema }[];
  links: ContractLink[];
}

export interface ContractOperation {
  /** The document's `operationId`, or made of method and path. */
  id: string;
  /** Upper case. */
  method: string;
  /** The template: "/links/{code}". */
  path: string;
  parameters: ContractParameter[];
  body: { required: boolean; type: string; schema: JsonSchema } | undefined;
  /** "200", "4XX" or "default" → what is documented. */
  responses: Record<string, ContractResponse>;
  /** It may be called only with credentials. */
  secured: boolean;
}

/** What can be asked of an operation, in the order in which it is reported. */
export const CONTRACT_KINDS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'response_headers_conformance',
  'positive_data_acceptance',
  'negative_data_rejection',
  'missing_required_header',
  'ignored_auth',
  'unsupported_method',
  'ensure_resource_availability',
  'use_after_free',
] as const;
export type ContractKind = (typeof CONTRACT_KINDS)[number];

/** One graded check: a kind, asked of an operation. */
export interface ContractCheck {
  /** "contract/<operation>/<kind>" */
  id: string;
  name: string;
  kind: ContractKind;
  operation: string;
  suite: string;
  maxPoints: number;
  skill: Skill;
  visibility: Visibility;
}

/** The `plan` of the contract grader's input. Plain data: the document was read and checked by the host. */
export interface ContractPlan {
  /** Path of the document inside the bundle. */
  file: string;
  operations: ContractOperation[];
  /** What `#/$defs/…` stands for in schemas of requests, and in those of answers. */
  requestDefs: Record<string, JsonSchema>;
  responseDefs: Record<string, JsonSchema>;
  checks: ContractCheck[];
  /** Sent with every request, such as credentials. */
  headers: Record<string, string>;
  /** Past either of them only what every check needs is still sent. */
  budget: { requests: number; timeMs: number };
  /** A path whose GET changes nothing, to see whether the service lives. */
  readyPath: string;
}

/** Reads a plan from a grader's input. Its depths were checked by the host. */
export const ContractPlanSchema = z.custom<ContractPlan>(
  (plan) =>
    z
      .looseObject({
        operations: z.array(z.looseObject({ id: z.string() })),
        checks: z.array(z.looseObject({ id: z.string() })),
        budget: z.object({ requests: z.number(), timeMs: z.number() }),
      })
      .safeParse(plan).success,
  'expected a contract plan',
);
