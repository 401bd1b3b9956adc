import type { ContractOperation } from '../../src/domain/contract-plan.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { HttpRequest } from '../api/http-types.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import { asText, headerText, keyOf } from './request-case.ts';
import type { RequestCase } from './request-case.ts';
import { matchPath } from './resources.ts';
import type { Binding, Resources } from './resources.ts';

/** A request ready to be sent, with what its path stands for. */
export interface BuiltRequest {
  request: HttpRequest;
  path: Binding;
  query: Binding;
  /** The path stands for something the service is known to have. */
  known: boolean;
}

export interface BuildSettings {
  port: number;
  defaults: HeaderSet;
  headers: Record<string, string>;
  operations: readonly ContractOperation[];
  resources: Resources;
}

/** Puts a case together; undefined when its path cannot be sent, or would be another operation's. */
export function buildRequest(
  operation: ContractOperation,
  made: RequestCase,
  settings: BuildSettings,
): BuiltRequest | undefined {
  const { resources } = settings;
  const candidates = resources.ofPath(operation.path);
  const bound = made.known >= 0 ? candidates[made.known % Math.max(1, candidates.length)] : undefined;
  const values = bound ?? pathValues(operation, made);
  const pathname = fillPath(operation.path, values);
  if (pathname === undefined || isShadowed(operation, pathname, settings.operations)) {
    return undefined;
  }
  const query = [...queryPairs(operation, made), ...linkedPairs(operation, made, resources)];
  const search = query.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  const headers = headersOf(operation, made, settings);
  return {
    request: {
      method: operation.method,
      path: search === '' ? pathname : `${pathname}?${search}`,
      headers,
      body: bodyOf(made),
    },
    path: values,
    query: Object.fromEntries(query),
    known: bound !== undefined,
  };
}

/** A path with its parameters filled in; undefined when a value cannot stand as one segment. */
export function fillPath(template: string, values: Binding): string | undefined {
  let usable = true;
  const path = template.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const value = values[name] ?? '';
    usable &&= !/^\.{0,2}$|[/\\]|\p{Cs}/u.test(value);
    return usable ? encode(value) : '';
  });
  return usable ? path : undefined;
}

function pathValues({ parameters }: ContractOperation, made: RequestCase): Binding {
  const own = parameters.filter((one) => one.in === 'path');
  return Object.fromEntries(own.map((one) => [one.name, asText(made.parameters[keyOf(one)] ?? '')]));
}

/** "/links" made from "/{code}" is another operation's path. */
function isShadowed(
  { path }: ContractOperation,
  pathname: string,
  operations: readonly ContractOperation[],
): boolean {
  return operations.some(
    (other) =>
      other.path !== path &&
      fixedSegments(other.path) > fixedSegments(path) &&
      matchPath(other.path, pathname),
  );
}

function fixedSegments(template: string): number {
  return template.split('/').filter((segment) => segment !== '' && !segment.includes('{')).length;
}

function queryPairs({ parameters }: ContractOperation, made: RequestCase): [string, string][] {
  return parameters
    .filter((one) => one.in === 'query' && made.parameters[keyOf(one)] !== undefined)
    .flatMap((one): [string, string][] => {
      const value = made.parameters[keyOf(one)] ?? null;
      return Array.isArray(value) && !one.joined
        ? value.map((item: JsonValue) => [one.name, asText(item)])
        : [[one.name, asText(value)]];
    });
}

/** What a link gave, in every other request that could use it. */
function linkedPairs(
  { id, parameters }: ContractOperation,
  made: RequestCase,
  resources: Resources,
): [string, string][] {
  const given = resources.linked(id);
  const one = made.known % 2 === 0 ? given[made.known % Math.max(1, given.length)] : undefined;
  return parameters
    .filter(({ linked, name, in: where }) => linked && where === 'query' && one?.[name] !== undefined)
    .map(({ name }) => [name, one?.[name] ?? '']);
}

function headersOf(
  { method, parameters, body }: ContractOperation,
  made: RequestCase,
  settings: BuildSettings,
): [string, string][] {
  const headers = baseHeaders(settings.port, settings.defaults, settings.headers);
  for (const one of parameters.filter(({ in: where }) => where === 'header')) {
    const value = made.parameters[keyOf(one)];
    if (value !== undefined) {
      put(headers, one.name, headerText(asText(value)));
    }
  }
  const cookies = parameters
    .filter((one) => one.in === 'cookie' && made.parameters[keyOf(one)] !== undefined)
    .map((one) => `${one.name}=${encode(asText(made.parameters[keyOf(one)] ?? null))}`);
  if (cookies.length > 0) {
    put(headers, 'cookie', cookies.join('; '));
  }
  const bytes = bodyOf(made);
  if (body && bytes) {
    put(headers, 'content-type', body.type);
  }
  if (bytes || ['POST', 'PUT', 'PATCH'].includes(method)) {
    put(headers, 'content-length', String(bytes?.length ?? 0));
  }
  return [...headers.values()];
}

/** Lower-case name → the header as it is sent. */
type Headers = Map<string, [string, string]>;

/** What every request carries: the seed's everyday client, and what the challenge adds. */
export function baseHeaders(port: number, defaults: HeaderSet, own: Record<string, string>): Headers {
  const headers: Headers = new Map();
  for (const [name, value] of [['host', `localhost:${port}`] as const, ...defaults, ...Object.entries(own)]) {
    put(headers, name, value);
  }
  return headers;
}

function put(headers: Headers, name: string, value: string): void {
  headers.set(name.toLowerCase(), [name, value]);
}

function bodyOf({ body }: RequestCase): Buffer | undefined {
  if (!body) {
    return undefined;
  }
  return Buffer.from('json' in body ? JSON.stringify(body.json) : body.text);
}

function encode(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Cs}/gu, ''));
}
