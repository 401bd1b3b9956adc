import type {
  ContractKind,
  ContractOperation,
  ContractResponse,
  JsonSchema,
} from '../../src/domain/contract-plan.ts';
import { headerOf } from '../api/http-types.ts';
import type { HttpOutcome, HttpResponse } from '../api/http-types.ts';
import { parseJson } from '../api/parse-json.ts';
import type { SchemaSet } from './schema-set.ts';

/** Something an answer should not be. The message is one plain sentence without a full stop. */
export interface Finding {
  kind: ContractKind;
  message: string;
  expected: string;
  actual: string;
}

/** What the document was asked about an answer, and what it says against it. */
export interface Judgement {
  asked: ContractKind[];
  findings: Finding[];
}

/** HTTP lets every service answer so, documented or not: too slow, too much, too often. */
const ALWAYS_ALLOWED = new Set([408, 413, 414, 429, 431]);

/** Compares an outcome with what the document says of the operation's answers. */
export function judgeOutcome(
  operation: ContractOperation,
  outcome: HttpOutcome,
  schemas: SchemaSet,
): Judgement {
  const { response, failure } = outcome;
  const what = `${operation.method} ${operation.path}`;
  if (failure || !response) {
    const message = `${what} got no answer: ${failure?.message ?? 'none came'}`;
    const actual = failure?.kind ?? 'nothing';
    return {
      asked: ['not_a_server_error'],
      findings: [{ kind: 'not_a_server_error', message, expected: 'an answer', actual }],
    };
  }
  const { status } = response;
  const documented = documentedFor(operation, status);
  const findings: Finding[] = [];
  if (status >= 500) {
    const message = `${what} answered ${status}, an error of the service`;
    findings.push({ kind: 'not_a_server_error', message, expected: 'no 5xx', actual: String(status) });
  }
  if (!documented) {
    if (!ALWAYS_ALLOWED.has(status) && !(operation.secured && (status === 401 || status === 403))) {
      const expected = Object.keys(operation.responses).join(', ');
      const message = `${what} answered ${status}, which is not documented; its statuses are ${expected}`;
      findings.push({ kind: 'status_code_conformance', message, expected, actual: String(status) });
    }
    return { asked: ['not_a_server_error', 'status_code_conformance'], findings };
  }
  const answer = `the ${status} answer of ${what}`;
  const asked: ContractKind[] = ['not_a_server_error', 'status_code_conformance'];
  if (documented.content) {
    asked.push('content_type_conformance');
    judgeContent(answer, documented.content, response, schemas, { asked, findings });
  }
  if (documented.headers.length > 0) {
    asked.push('response_headers_conformance');
    findings.push(...judgeHeaders(answer, documented, response, schemas));
  }
  return { asked, findings };
}

/** What the document says of a status: by itself, as a range, or by default. */
export function documentedFor(
  { responses }: ContractOperation,
  status: number,
): ContractResponse | undefined {
  return responses[String(status)] ?? responses[`${Math.floor(status / 100)}XX`] ?? responses['default'];
}

function judgeContent(
  answer: string,
  content: Record<string, JsonSchema>,
  response: HttpResponse,
  schemas: SchemaSet,
  { asked, findings }: Judgement,
): void {
  const given = headerOf(response, 'content-type');
  const type = given?.split(';')[0]?.trim().toLowerCase() ?? '';
  const entry = Object.entries(content).find(([documented]) => coversType(documented, type));
  const types = Object.keys(content).join(' or ');
  if (!entry) {
    const actual = given ?? 'no Content-Type';
    const message = `${answer} has ${given === undefined ? 'no Content-Type' : `the Content-Type "${given.slice(0, 100)}"`}, documented is ${types}`;
    findings.push({ kind: 'content_type_conformance', message, expected: types, actual });
    return;
  }
  const [, schema] = entry;
  if (schema === true || !/\bjson\b/.test(type)) {
    return;
  }
  asked.push('response_schema_conformance');
  const parsed = parseJson(response.body);
  const problem = parsed.ok ? schemas.problem(schema, parsed.value) : `is no JSON: ${parsed.problem}`;
  if (problem !== undefined) {
    const message = `${answer} does not match its schema: ${problem}`;
    const actual = response.body.subarray(0, 500).toString('utf8');
    findings.push({ kind: 'response_schema_conformance', message, expected: problem, actual });
  }
}

function coversType(documented: string, type: string): boolean {
  const wanted = documented.split(';')[0]?.trim() ?? '';
  if (wanted === '*/*') {
    return true;
  }
  return wanted.endsWith('/*') ? type.startsWith(wanted.slice(0, -1)) : wanted === type;
}

function judgeHeaders(
  answer: string,
  documented: ContractResponse,
  response: HttpResponse,
  schemas: SchemaSet,
): Finding[] {
  return documented.headers.flatMap(({ name, required, schema }): Finding[] => {
    const value = headerOf(response, name);
    if (value === undefined) {
      const message = `${answer} lacks the header ${name}`;
      return required
        ? [{ kind: 'response_headers_conformance', message, expected: name, actual: 'not there' }]
        : [];
    }
    const readings = [value, Number(value), value === 'true', value.split(/\s*,\s*/)];
    if (readings.some((reading) => schemas.problem(schema, reading) === undefined)) {
      return [];
    }
    const problem = schemas.problem(schema, value) ?? '';
    const message = `${answer} has the header ${name}: ${value.slice(0, 100)}, but ${problem}`;
    return [
      { kind: 'response_headers_conformance', message, expected: problem, actual: value.slice(0, 500) },
    ];
  });
}

/** Valid requests may still meet the state of things: what is not there, is taken, is gone, or comes too often. */
const STATE = new Set([401, 403, 404, 408, 409, 410, 412, 413, 414, 423, 424, 428, 429, 431]);

/** Whether a valid request was turned down for what it is. */
export function judgeValid(
  operation: ContractOperation,
  response: HttpResponse,
  what?: string,
): Finding | undefined {
  const { status } = response;
  if (status < 400 || status >= 500 || STATE.has(status)) {
    return undefined;
  }
  return {
    kind: 'positive_data_acceptance',
    message: `${operation.method} ${operation.path} refused a valid request with ${status}${what === undefined ? '' : `: its ${what}`}`,
    expected: '2xx',
    actual: String(status),
  };
}

/** Whether an invalid request was let through. A 5xx is a matter of its own. */
export function judgeInvalid(
  operation: ContractOperation,
  response: HttpResponse,
  what: string,
): Finding | undefined {
  const { status } = response;
  if (status >= 400) {
    return undefined;
  }
  return {
    kind: 'negative_data_rejection',
    message: `${operation.method} ${operation.path} answered ${status} to a request whose ${what}`,
    expected: '4xx',
    actual: String(status),
  };
}
