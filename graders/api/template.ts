import { parseTemplate } from '../../src/domain/api-suite-template.ts';
import type { TemplateExpression } from '../../src/domain/api-suite-template.ts';
import { repeatedText } from '../../src/domain/api-suite-value.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { Prng } from '../shared/prng.ts';
import { CheckFailure, SuiteFault } from './failures.ts';
import { randomValue } from './random-value.ts';

/** What templates see at one point of a check. */
export interface Scope {
  /** Own variables first, then those of the enclosing scope. */
  variables: Map<string, JsonValue>;
  parent: Scope | undefined;
  prng: Prng;
  /** Told of every value that a variable gets. */
  onSet?: (name: string, value: JsonValue) => void;
  /** Names that the check captures: that one of them is missing is the service's doing. */
  captured?: ReadonlySet<string>;
  /** Turn of the innermost `parallel` or `repeat`. */
  index: number | undefined;
}

/** A scope whose captures end with it; lists that it appends to are the outer ones. */
export function innerScope(parent: Scope, prng: Prng, index: number): Scope {
  const { onSet, captured } = parent;
  return {
    variables: new Map(),
    parent,
    prng,
    index,
    ...(onSet ? { onSet } : {}),
    ...(captured ? { captured } : {}),
  };
}

/** Gives a variable its value. */
export function setVariable(scope: Scope, name: string, value: JsonValue): void {
  scope.variables.set(name, value);
  scope.onSet?.(name, value);
}

/** The value of a variable, or undefined. */
export function lookUp(scope: Scope, name: string): JsonValue | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) {
    const value = at.variables.get(name);
    if (value !== undefined) {
      return value;
    }
  }
  return undefined;
}

/** Replaces the templates of a text; `encode` treats each inserted value. */
export function expandText(
  text: string,
  scope: Scope,
  encode: (inserted: string) => string = identity,
): string {
  let expanded = '';
  for (const part of parseTemplate(text)) {
    expanded += part.kind === 'text' ? part.text : encode(toText(evaluate(part.raw, part.expression, scope)));
  }
  return expanded;
}

/** As `expandText`, but a text that is one template alone keeps the type of its value. */
export function expandTyped(text: string, scope: Scope): JsonValue {
  const [only, ...rest] = parseTemplate(text);
  return only?.kind === 'expression' && rest.length === 0
    ? evaluate(only.raw, only.expression, scope)
    : expandText(text, scope);
}

/** Replaces the templates and `$repeat` of data to send, keys included. */
export function expandValue(value: JsonValue, scope: Scope): JsonValue {
  if (typeof value === 'string') {
    return expandTyped(value, scope);
  }
  if (Array.isArray(value)) {
    return value.map((item) => expandValue(item, scope));
  }
  if (value === null || typeof value !== 'object') {
    return value;
  }
  const repeated = repeatedText(value);
  if (repeated) {
    return repeated.text.repeat(repeated.times);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [expandText(key, scope), expandValue(item, scope)]),
  );
}

/** Replaces the templates of an expectation. In regular expressions inserted values stand for themselves. */
export function expandExpected(expected: JsonValue, scope: Scope): JsonValue {
  if (typeof expected === 'string') {
    return expandTyped(expected, scope);
  }
  if (Array.isArray(expected)) {
    return expected.map((item) => expandExpected(item, scope));
  }
  if (expected === null || typeof expected !== 'object') {
    return expected;
  }
  return Object.fromEntries(
    Object.entries(expected).map(([key, argument]) => {
      if (key === '$schema' || key === '$literal') {
        return [key, argument];
      }
      if (key === '$matches' && typeof argument === 'string') {
        return [key, expandText(argument, scope, escapeRegex)];
      }
      return [expandText(key, scope), expandExpected(argument, scope)];
    }),
  );
}

/** Replaces the templates of a JSONPath; quotes in inserted values are escaped. */
export function expandPath(path: string, scope: Scope): string {
  return expandText(path, scope, (inserted) =>
    JSON.stringify(inserted)
      .slice(1, -1)
      .replaceAll(String.raw`\"`, String.raw`\u0022`)
      .replaceAll("'", String.raw`\u0027`),
  );
}

function evaluate(raw: string, expression: TemplateExpression | undefined, scope: Scope): JsonValue {
  if (!expression) {
    throw new SuiteFault(`"\${${raw}}" is not a template`);
  }
  if (expression.kind === 'random') {
    return randomValue(expression.what, expression.parameters, scope.prng);
  }
  let value = expression.name === 'index' ? nearestIndex(scope) : lookUp(scope, expression.name);
  if (value === undefined) {
    throw missing(expression.name, `"\${${raw}}" has no value here`, scope);
  }
  for (const key of expression.path) {
    const container: unknown = value;
    if (typeof container !== 'object' || container === null || !Object.hasOwn(container, key)) {
      throw new CheckFailure(
        `"\${${raw}}" has no "${key}": the value is ${JSON.stringify(value).slice(0, 200)}`,
      );
    }
    value = (container as Record<string | number, JsonValue>)[key] ?? null;
  }
  return value;
}

/** Whose it is that a variable has no value, or a useless one: the service's when its answers were to give it. */
export function missing(name: string, message: string, { captured }: Scope): CheckFailure | SuiteFault {
  return captured?.has(name) ? new CheckFailure(message) : new SuiteFault(message);
}

function nearestIndex(scope: Scope): number | undefined {
  return scope.index ?? (scope.parent ? nearestIndex(scope.parent) : undefined);
}

function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

function identity(text: string): string {
  return text;
}
