import type { RequestStep } from '../../src/domain/api-suite-step.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { CheckFailure, SuiteFault } from './failures.ts';
import { headerOf } from './http-types.ts';
import type { HttpResponse } from './http-types.ts';
import { bodyAsJson } from './judge-response.ts';
import { selectPath } from './json-path.ts';
import { searchRegex } from './matchers.ts';
import { renderValue } from './render-value.ts';
import { expandPath, lookUp, setVariable } from './template.ts';
import type { Scope } from './template.ts';

/** What a step keeps of its answer, by name ("code", "codes[]"). */
export type Captured = [name: string, value: JsonValue][];

/** Reads what a step captures. Throws a `CheckFailure` when the answer does not have it. */
export function readCaptures(
  capture: RequestStep['capture'],
  response: HttpResponse,
  scope: Scope,
): Captured {
  return Object.entries(capture ?? {}).map(([name, source]) => {
    const value = readSource(source.from, response, scope);
    if (value === undefined) {
      throw new CheckFailure(`there is nothing to capture at ${source.from} of the answer`, {
        at: `["${name}"]`,
        expected: source.from,
      });
    }
    return [name, source.matches === undefined ? value : readGroup(name, value, source.matches)];
  });
}

/** Puts captured values into the scope; lists ("codes[]") live in the outermost scope of the check. */
export function keepCaptures(captured: Captured, scope: Scope): void {
  for (const [name, value] of captured) {
    if (name.endsWith('[]')) {
      append(name.slice(0, -2), value, scope);
    } else {
      setVariable(scope, name, value);
    }
  }
}

function append(name: string, value: JsonValue, scope: Scope): void {
  let outermost = scope;
  while (outermost.parent) {
    outermost = outermost.parent;
  }
  const list = lookUp(outermost, name) ?? [];
  if (!Array.isArray(list)) {
    throw new SuiteFault(`"${name}[]" appends to a variable that is not a list`);
  }
  list.push(value);
  setVariable(outermost, name, list);
}

function readSource(from: string, response: HttpResponse, scope: Scope): JsonValue | undefined {
  if (from === 'status') {
    return response.status;
  }
  if (from === 'text') {
    return response.body.toString('utf8');
  }
  return from.startsWith('header:')
    ? headerOf(response, from.slice('header:'.length))
    : selectPath(expandPath(from, scope), bodyAsJson(response).value);
}

/** The first group of a pattern, or all that it matched. */
function readGroup(name: string, value: JsonValue, pattern: string): JsonValue {
  const found = typeof value === 'string' ? searchRegex(pattern, value) : null;
  if (typeof found === 'string') {
    throw new CheckFailure(found, { at: `["${name}"]` });
  }
  if (!found) {
    const message = `expected the captured value to match /${pattern}/, got ${renderValue(value)}`;
    throw new CheckFailure(message, {
      at: `["${name}"]`,
      expected: `/${pattern}/`,
      actual: renderValue(value),
    });
  }
  return found[1] ?? found[0];
}
