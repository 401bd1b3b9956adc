import type { Change } from '../../../domain/mutation.ts';
import { fieldsOf } from './json-fields.ts';
import type { Field } from './json-fields.ts';
import { makeMutant } from './mutant.ts';
import type { Mutant } from './mutant.ts';
import type { OpenApiFacts } from './openapi-facts.ts';
import type { Operation } from './operations.ts';

/** What a status is easily mistaken for. */
const MISTAKES: Readonly<Record<number, readonly number[]>> = {
  200: [202],
  201: [200],
  202: [200],
  204: [200],
  206: [200],
  301: [302],
  302: [301],
  303: [302],
  304: [200],
  307: [302],
  308: [301],
  401: [403],
  404: [200, 400],
  405: [404],
  406: [200],
  410: [404],
  412: [200],
  422: [400],
  428: [200],
};
/** Headers that HTTP gives a meaning on which clients act. Others count where the document names them. */
const MEANT_HEADERS = [
  'location',
  'etag',
  'allow',
  'cache-control',
  'last-modified',
  'retry-after',
  'link',
  'www-authenticate',
  'content-disposition',
];

/** Faults in what the service answers, for one kind of exchange. Pure. */
export function answerMutants(operation: Operation, facts: OpenApiFacts | undefined): Mutant[] {
  const { method, path, status, checks } = operation;
  function mutant(change: Change, reason?: string): Mutant {
    return makeMutant({ method, path, status }, change, checks, reason);
  }
  return [
    ...statusesFor(status).map((next) => mutant({ operator: 'change-status', status: next })),
    ...headerChanges(operation, facts).map((change) => mutant(change)),
    ...bodyChanges(operation, facts).map(({ change, reason }) => mutant(change, reason)),
  ];
}

function statusesFor(status: number): number[] {
  const near = MISTAKES[status] ?? (status >= 400 && status < 500 ? [400, 200] : []);
  return [...near, ...(status < 500 ? [500] : [])].filter((next) => next !== status);
}

function headerChanges(operation: Operation, facts: OpenApiFacts | undefined): Change[] {
  const documented = facts?.answerHeaders(operation) ?? [];
  const sent = new Set(operation.seen.flatMap(({ headers }) => headers.map(([name]) => name.toLowerCase())));
  const meant = [...new Set([...MEANT_HEADERS, ...documented])].filter((name) => sent.has(name));
  return meant.flatMap((name): Change[] => [
    { operator: 'drop-header', name },
    { operator: 'change-header', name },
  ]);
}

interface BodyChange {
  change: Change;
  reason?: string;
}

function bodyChanges(operation: Operation, facts: OpenApiFacts | undefined): BodyChange[] {
  const bodies = operation.seen.map(({ body }) => body).filter((body) => body !== '');
  if (bodies.length === 0) {
    return operation.seen.some(({ headers }) => isTyped(headers)) && operation.method === 'HEAD'
      ? [{ change: { operator: 'wrong-content-type' } }]
      : [];
  }
  const typed = operation.seen.some(({ headers }) => isTyped(headers));
  const whole: BodyChange[] = [
    { change: { operator: 'empty-body' } },
    ...(typed ? [{ change: { operator: 'wrong-content-type' } as const }] : []),
  ];
  const schema = facts?.answerSchema(operation);
  const isProblem = operation.seen.every(({ headers }) => isTyped(headers, 'application/problem+json'));
  const fields = fieldsOf(bodies.flatMap(parse));
  return [
    ...whole,
    ...fields.flatMap((field) => fieldChanges(field, operation.status, { facts, schema, isProblem })),
  ];
}

/** What the document says of the answer. */
interface Documented {
  facts: OpenApiFacts | undefined;
  schema: unknown;
  /** Every such answer was a problem document (RFC 9457). */
  isProblem: boolean;
}

function fieldChanges({ at, kind, values }: Field, status: number, documented: Documented): BodyChange[] {
  const { facts, schema } = documented;
  if (kind === 'leaf') {
    return at.length === 0 ? [] : leafChanges(at, values, leafFacts(at, status, documented));
  }
  if (kind === 'list') {
    const longest = Math.max(...values.map((value) => (value as unknown[]).length));
    const drop: BodyChange[] = at.length > 0 ? [{ change: { operator: 'drop-field', at } }] : [];
    return [
      ...(at.at(-1) === '*' ? [] : drop),
      ...(longest > 0 ? [{ change: { operator: 'truncate-list', at } as const }] : []),
      ...(longest > 1 ? [reordering(at, status)] : []),
    ];
  }
  // A member more breaks a promise only where the document says that there are no others.
  const closed = facts?.schemaAt(schema, at)?.['additionalProperties'] === false;
  return closed ? [{ change: { operator: 'add-field', at } }] : [];
}

function reordering(at: string[], status: number): BodyChange {
  const change: Change = { operator: 'reorder-list', at };
  return status >= 400
    ? { change, reason: 'In which order an error names things, no contract says.' }
    : { change };
}

/** The document says which members an error has at least, and this is none of them. */
function isLeftOut(parent: Record<string, unknown> | undefined, name: string | undefined): boolean {
  const required = parent?.['required'];
  const known = parent?.['properties'] as Record<string, unknown> | undefined;
  return (
    Array.isArray(required) && name !== undefined && known?.[name] !== undefined && !required.includes(name)
  );
}

function isFixed(schema: Record<string, unknown>): boolean {
  return ['const', 'enum', 'pattern', 'anyOf', 'oneOf'].some((keyword) => schema[keyword] !== undefined);
}

function leafFacts(at: string[], status: number, { facts, schema, isProblem }: Documented): LeafFacts {
  const isError = status >= 400;
  const own = facts?.schemaAt(schema, at);
  return {
    isError,
    isOptional: isError && isLeftOut(facts?.schemaAt(schema, at.slice(0, -1)), at.at(-1)),
    isOpenType: isError && isProblem && at.join('.') === 'type' && !(own && isFixed(own)),
  };
}

interface LeafFacts {
  isError: boolean;
  /** An error may come without it. */
  isOptional: boolean;
  /** The `type` of a problem document, of which the document fixes no value. */
  isOpenType: boolean;
}

function leafChanges(
  at: string[],
  values: readonly unknown[],
  { isError, isOptional, isOpenType }: LeafFacts,
): BodyChange[] {
  const sentence = isError && values.every((value) => typeof value === 'string' && value.includes(' '));
  const forPeople = { reason: 'The text is for people; the contract does not fix its words.' };
  const notRequired = { reason: 'The document does not require it of an error.' };
  const ownChoice = { reason: 'What names a kind of problem is left to the service (RFC 9457).' };
  return [
    ...(at.at(-1) === '*'
      ? []
      : [{ change: { operator: 'drop-field', at } as const, ...(isOptional ? notRequired : {}) }]),
    {
      change: { operator: 'change-value', at },
      ...(sentence ? forPeople : {}),
      ...(isOpenType ? ownChoice : {}),
    },
    { change: { operator: 'change-type', at } },
  ];
}

function isTyped(headers: readonly (readonly [string, string])[], type = ''): boolean {
  return headers.some(
    ([name, value]) => name.toLowerCase() === 'content-type' && value.toLowerCase().startsWith(type),
  );
}

function parse(body: string): unknown[] {
  try {
    return [JSON.parse(body)];
  } catch {
    return [];
  }
}
