import type { ContractLink, ContractOperation, ContractResponse } from '../../src/domain/contract-plan.ts';
import { pathParameters } from '../../src/domain/contract-resources.ts';
import { isJsonObject } from '../../src/domain/json-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';

/** Values for the parameters of an operation, by name. */
export type Binding = Record<string, string>;

/** An exchange that went well. */
export interface Seen {
  operation: ContractOperation;
  documented: ContractResponse | undefined;
  status: number;
  /** What the path of the request stood for. */
  path: Binding;
  query: Binding;
  location: string | undefined;
  json: JsonValue | undefined;
  header: (name: string) => string | undefined;
}

/** Kept per path; enough to choose from. */
const MAX_KEPT = 50;
const MAX_LISTED = 5;

/** What the service is known to hold, learnt from its answers. */
export class Resources {
  readonly #operations: readonly ContractOperation[];
  readonly #byPath = new Map<string, Binding[]>();
  readonly #byOperation = new Map<string, Binding[]>();

  constructor(operations: readonly ContractOperation[]) {
    this.#operations = operations;
  }

  /** Learns from an answer: its links, its Location, and members named like the parameters of a path. */
  learn(seen: Seen): void {
    for (const link of seen.documented?.links ?? []) {
      const values = followLink(link, seen);
      const target = this.#operations.find(({ id }) => id === link.operation);
      if (target && Object.keys(values).length > 0) {
        keep(this.#byOperation, target.id, values);
        keepWhole(this.#byPath, target.path, values);
      }
    }
    for (const path of new Set(this.#operations.map((one) => one.path))) {
      for (const binding of bindingsFrom(path, seen)) {
        keepWhole(this.#byPath, path, binding);
      }
    }
  }

  /** What a path is known to stand for. */
  ofPath(path: string): readonly Binding[] {
    return this.#byPath.get(path) ?? [];
  }

  /** What links gave for an operation's other parameters. */
  linked(operation: string): readonly Binding[] {
    return this.#byOperation.get(operation) ?? [];
  }
}

/** What one answer says a path stands for. */
export function bindingsFrom(template: string, seen: Seen): Binding[] {
  const names = pathParameters(template);
  if (names.length === 0) {
    return [];
  }
  const located = seen.location === undefined ? undefined : matchPath(template, seen.location);
  const found = located ? [located] : [];
  const own = seen.operation.path;
  const isChild = template.startsWith(own === '/' ? '/{' : `${own}/`);
  for (const object of objectsIn(seen.json)) {
    // "id" says something only below the path that was asked; a telling name says it everywhere.
    const values: Binding = { ...seen.path };
    for (const name of names) {
      const value = isChild ? (object[name] ?? object['id']) : object[name === 'id' ? '' : name];
      if (values[name] === undefined && (typeof value === 'string' || typeof value === 'number')) {
        values[name] = String(value);
      }
    }
    found.push(values);
  }
  return found.filter((binding) => names.every((name) => (binding[name] ?? '') !== ''));
}

function objectsIn(json: JsonValue | undefined): Record<string, unknown>[] {
  if (Array.isArray(json)) {
    return json.slice(0, MAX_LISTED).filter((item) => isJsonObject(item));
  }
  if (!isJsonObject(json)) {
    return [];
  }
  const lists = Object.values(json).filter(Array.isArray);
  const listed = lists.flatMap((list) => (list as unknown[]).slice(0, MAX_LISTED));
  return [json, ...listed.filter((item) => isJsonObject(item))];
}

/** The parameters of a template that make it this path, or undefined. */
export function matchPath(template: string, path: string): Binding | undefined {
  const bare = path.replace(/^https?:\/\/[^/]*/, '').replace(/[?#].*$/s, '');
  const wanted = template.split('/');
  const given = bare.split('/');
  if (wanted.length !== given.length) {
    return undefined;
  }
  const binding: Binding = {};
  for (const [index, segment] of wanted.entries()) {
    const value = given[index] ?? '';
    const name = /^\{([^{}]+)\}$/.exec(segment)?.[1];
    if (name === undefined ? segment !== value : value === '') {
      return undefined;
    }
    if (name !== undefined) {
      binding[name] = decode(value);
    }
  }
  return binding;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Runtime expressions of OpenAPI, as far as they speak of this exchange. */
function followLink(link: ContractLink, seen: Seen): Binding {
  const values: Binding = {};
  for (const [name, expression] of Object.entries(link.parameters)) {
    const value = typeof expression === 'string' ? evaluate(expression, seen) : expression;
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      values[name.replace(/^(?:path|query|header|cookie)\./, '')] = String(value);
    }
  }
  return values;
}

function evaluate(expression: string, seen: Seen): JsonValue | undefined {
  const body = /^\$response\.body#(\/.*)$/.exec(expression)?.[1];
  if (body !== undefined) {
    return body
      .split('/')
      .slice(1)
      .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<JsonValue | undefined>(
        (value, step) =>
          typeof value === 'object' && value !== null && Object.hasOwn(value, step)
            ? (value as Record<string, JsonValue>)[step]
            : undefined,
        seen.json,
      );
  }
  const header = /^\$response\.header\.(.+)$/.exec(expression)?.[1];
  if (header !== undefined) {
    return seen.header(header);
  }
  const asked = /^\$request\.(path|query)\.(.+)$/.exec(expression);
  if (asked) {
    return (asked[1] === 'path' ? seen.path : seen.query)[asked[2] ?? ''];
  }
  return expression.startsWith('$') ? undefined : expression;
}

function keepWhole(map: Map<string, Binding[]>, path: string, binding: Binding): void {
  const names = pathParameters(path);
  if (names.length > 0 && names.every((name) => (binding[name] ?? '') !== '')) {
    keep(map, path, Object.fromEntries(names.map((name) => [name, binding[name] ?? ''])));
  }
}

function keep(map: Map<string, Binding[]>, key: string, binding: Binding): void {
  const list = map.get(key) ?? [];
  if (list.length < MAX_KEPT) {
    map.set(key, [...list, binding]);
  }
}
