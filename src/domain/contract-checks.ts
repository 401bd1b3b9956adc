import { CONTRACT_KINDS } from './contract-plan.ts';
import type { ContractCheck, ContractKind, ContractOperation, JsonSchema } from './contract-plan.ts';
import { makerOf, readerOf, readerOfMade } from './contract-resources.ts';

/** What a check of each kind says of its operation, after "POST /links". */
const SENTENCES: Readonly<Record<ContractKind, string>> = {
  not_a_server_error: 'never answers 5xx',
  status_code_conformance: 'answers with documented statuses only',
  content_type_conformance: 'answers in the documented content types',
  response_schema_conformance: 'answers as its schemas say',
  response_headers_conformance: 'sends the documented headers',
  positive_data_acceptance: 'accepts valid requests',
  negative_data_rejection: 'refuses invalid requests with 4xx',
  missing_required_header: 'refuses requests without a required header',
  ignored_auth: 'refuses requests without credentials',
  unsupported_method: 'refuses other methods with 405 and Allow',
  ensure_resource_availability: 'makes what can be read at once',
  use_after_free: 'leaves nothing that can still be read',
};

type Applies = (operation: ContractOperation, all: readonly ContractOperation[]) => boolean;

const APPLIES: Readonly<Record<ContractKind, Applies>> = {
  not_a_server_error: () => true,
  status_code_conformance: () => true,
  content_type_conformance: (operation) => responses(operation).some(({ content }) => content !== undefined),
  response_schema_conformance: (operation) => responses(operation).some(({ content }) => hasSchema(content)),
  response_headers_conformance: (operation) => responses(operation).some(({ headers }) => headers.length > 0),
  positive_data_acceptance: () => true,
  negative_data_rejection: canBeWrong,
  missing_required_header: ({ parameters }) => parameters.some(isRequiredHeader),
  ignored_auth: ({ secured }) => secured,
  unsupported_method: (operation, all) => all.find(({ path }) => path === operation.path) === operation,
  ensure_resource_availability: (operation, all) => readerOfMade(operation, all) !== undefined,
  use_after_free: ({ method, path }, all) =>
    method === 'DELETE' && makerOf(path, all) !== undefined && readerOf(path, all) !== undefined,
};

/** The checks that a document's operations give, all of them known before anything runs. */
export function contractChecks(operations: readonly ContractOperation[]): ContractCheck[] {
  return operations.flatMap((operation) =>
    CONTRACT_KINDS.filter((kind) => APPLIES[kind](operation, operations))
      .filter(
        (kind) => kind !== 'unsupported_method' || refusedMethods(operation.path, operations).length > 0,
      )
      .map((kind) => describe(kind, operation)),
  );
}

/**
 * Methods that the document uses elsewhere and not for this path: the service knows them, so HTTP asks it to answer
 * 405 (RFC 9110, 15.5.6).
 */
export function refusedMethods(path: string, operations: readonly ContractOperation[]): string[] {
  const here = new Set(operations.filter((one) => one.path === path).map(({ method }) => method));
  const known = [...new Set(operations.map(({ method }) => method))].toSorted();
  const implied = here.has('GET') ? 'HEAD' : undefined;
  return known.filter((method) => !here.has(method) && method !== implied && method !== 'OPTIONS');
}

function describe(kind: ContractKind, operation: ContractOperation): ContractCheck {
  const what = kind === 'unsupported_method' ? operation.path : `${operation.method} ${operation.path}`;
  return {
    id: `contract/${operation.id}/${kind}`,
    name: `${what} ${SENTENCES[kind]}`.slice(0, 300),
    kind,
    operation: operation.id,
    suite: 'Contract',
    maxPoints: 1,
    skill: 'api-design',
    visibility: 'hidden',
  };
}

function responses(operation: ContractOperation) {
  return Object.values(operation.responses);
}

function hasSchema(content: Record<string, JsonSchema> | undefined): boolean {
  return Object.values(content ?? {}).some((schema) => schema !== true);
}

function isRequiredHeader(parameter: ContractOperation['parameters'][number]): boolean {
  return parameter.in === 'header' && parameter.required;
}

/** A text without any rule cannot be wrong, and a body always can: it may be no JSON at all. */
function canBeWrong({ body, parameters }: ContractOperation): boolean {
  return body !== undefined || parameters.some(({ schema, linked }) => !linked && hasRule(schema));
}

const RULES = [
  'pattern',
  'minLength',
  'maxLength',
  'enum',
  'const',
  'format',
  '$ref',
  'allOf',
  'oneOf',
  'anyOf',
];

function hasRule(schema: JsonSchema): boolean {
  if (typeof schema === 'boolean') {
    return !schema;
  }
  const free = schema['type'] === undefined || schema['type'] === 'string';
  return !free || RULES.some((rule) => rule in schema);
}
