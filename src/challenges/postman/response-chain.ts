import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { exactly } from './chain.ts';
import type { Word } from './chain.ts';
import { expectOf, propertyOf } from './findings.ts';
import type { Findings } from './findings.ts';
import { valueOf } from './constants.ts';

const STATUS_WORDS: Readonly<Record<string, number | string>> = {
  ok: 200,
  accepted: 202,
  badRequest: 400,
  unauthorized: 401,
  forbidden: 403,
  notFound: 404,
  rateLimited: 429,
  info: '1xx',
  success: '2xx',
  redirection: '3xx',
  clientError: '4xx',
  serverError: '5xx',
  error: '400-599',
};
const STATUS_TEXTS: Readonly<Record<string, number>> = {
  ok: 200,
  created: 201,
  accepted: 202,
  'no content': 204,
  'bad request': 400,
  unauthorized: 401,
  forbidden: 403,
  'not found': 404,
  conflict: 409,
  'unprocessable entity': 422,
};
const FILLERS = new Set(['to', 'have', 'be', 'and', 'with', 'that']);

/** Reads the words after `pm.response`. Answers what it could not read, or undefined when all is said. */
export function readResponseChain(findings: Findings, words: readonly Word[]): string | undefined {
  let asserted = false;
  let not = false;
  for (const word of words) {
    if (word.args === undefined && FILLERS.has(word.name)) {
      continue;
    }
    if (word.args === undefined && word.name === 'not') {
      not = true;
      continue;
    }
    const said = not ? readNegated(findings, word) : readWord(findings, word);
    if (!said) {
      return `"${not ? 'not ' : ''}${word.name}" has no counterpart`;
    }
    asserted = true;
  }
  return asserted ? undefined : 'it asserts nothing';
}

function readWord(findings: Findings, { name, args = [] }: Word): boolean {
  const values = args.map((arg) => valueOf(arg));
  const [first, second] = values;
  if (values.includes(undefined)) {
    return false;
  }
  const status = STATUS_WORDS[name];
  if (args.length === 0 && status !== undefined) {
    return expectOf(findings, { kind: 'status' }, status);
  }
  return READERS[name]?.(findings, first, second) ?? false;
}

type ReadWord = (findings: Findings, first: JsonValue | undefined, second: JsonValue | undefined) => boolean;

const READERS: Readonly<Record<string, ReadWord>> = {
  status: readStatus,
  header: (findings, name, value) => typeof name === 'string' && readHeader(findings, name, value),
  json: (findings) => expectOf(findings, { kind: 'header', name: 'content-type' }, { $contains: 'json' }),
  jsonBody: readJsonBody,
  body: (findings, text) => expectOf(findings, { kind: 'text' }, text ?? { $length: { $gt: 0 } }),
  withBody: (findings) => expectOf(findings, { kind: 'text' }, { $length: { $gt: 0 } }),
  jsonSchema: (findings, schema) => {
    const fits = isJsonObject(schema) && findings.schema === undefined;
    findings.schema ??= fits ? (schema as JsonValue) : undefined;
    return fits;
  },
};

function readStatus(findings: Findings, value: JsonValue | undefined): boolean {
  const status = typeof value === 'string' ? STATUS_TEXTS[value.toLowerCase()] : value;
  return typeof status === 'number' && expectOf(findings, { kind: 'status' }, status);
}

function readHeader(findings: Findings, name: string, value: JsonValue | undefined): boolean {
  return expectOf(findings, { kind: 'header', name: name.toLowerCase() }, value ?? { $any: true });
}

function readJsonBody(
  findings: Findings,
  path: JsonValue | undefined,
  value: JsonValue | undefined,
): boolean {
  const root = { kind: 'json', path: '$' } as const;
  if (path === undefined) {
    return expectOf(findings, root, { $any: true });
  }
  if (typeof path !== 'string') {
    return expectOf(findings, root, exactly(path));
  }
  const inner = propertyOf(root, path, true);
  return (
    inner !== undefined && expectOf(findings, inner, value === undefined ? { $any: true } : exactly(value))
  );
}

function readNegated(findings: Findings, { name, args = [] }: Word): boolean {
  const values = args.map((arg) => valueOf(arg));
  const [first] = values;
  if (name === 'header' && typeof first === 'string' && values.length === 1) {
    return expectOf(findings, { kind: 'header', name: first.toLowerCase() }, { $absent: true });
  }
  if (name === 'jsonBody' && typeof first === 'string' && values.length === 1) {
    const inner = propertyOf({ kind: 'json', path: '$' }, first, true);
    return inner !== undefined && expectOf(findings, inner, { $absent: true });
  }
  if (name === 'error' && args.length === 0) {
    return expectOf(findings, { kind: 'status' }, '100-399');
  }
  return false;
}
