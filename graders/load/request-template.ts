import { parseTemplate } from '../../src/domain/api-suite-template.ts';
import type { TemplateExpression } from '../../src/domain/api-suite-template.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import type { LoadBody, LoadRequest } from '../../src/domain/load-request.ts';
import { randomValue } from '../api/random-value.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import type { Prng } from '../shared/prng.ts';
import type { Target } from './http-connection.ts';

/** What a user's templates see. */
export interface TemplateValues {
  captures: Map<string, JsonValue>;
  prng: Prng;
}

/** Renders the whole request as it goes over the wire, or names the capture that has no value yet. */
export type RenderRequest = (values: TemplateValues) => { text: string } | { missing: string };

type Encode = (value: JsonValue) => string;
type Part = string | { expression: TemplateExpression; encode: Encode };

/**
 * Takes the templates of a request apart once; a request without templates is rendered once and for all. Of `defaults`
 * it sends what it does not set itself.
 */
export function compileRequest(request: LoadRequest, target: Target, defaults: HeaderSet): RenderRequest {
  const head = headParts(request, target, defaults);
  const body = request.body && bodyParts(request.body);
  const takesBody = !['GET', 'HEAD', 'OPTIONS', 'DELETE'].includes(request.method);
  if (isStatic(head) && (body === undefined || isStatic(body))) {
    const rendered = { text: assemble(head.join(''), body?.join(''), takesBody) };
    return () => rendered;
  }
  return (values) => {
    const missing = firstMissing(head, values) ?? firstMissing(body ?? [], values);
    return missing === undefined
      ? { text: assemble(render(head, values), body && render(body, values), takesBody) }
      : { missing };
  };
}

function isStatic(parts: Part[]): parts is string[] {
  return parts.every((part) => typeof part === 'string');
}

function assemble(head: string, body: string | undefined, takesBody: boolean): string {
  if (body === undefined) {
    return takesBody ? `${head}content-length: 0\r\n\r\n` : `${head}\r\n`;
  }
  return `${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function headParts(request: LoadRequest, target: Target, defaults: HeaderSet): Part[] {
  const { method, path, query } = request;
  const host = target.address.includes(':') ? `[${target.address}]` : target.address;
  const pairs = Object.entries(query).flatMap(([name, value], index): Part[] => {
    const separator = index === 0 && !path.includes('?') ? '?' : '&';
    return [`${separator}${encodeURIComponent(name)}=`, ...textParts(value, encodeQuery)];
  });
  // In lower case, as they are here.
  const own = { ...contentType(request.body), ...request.headers };
  const standard = defaults.filter(([name]) => !Object.hasOwn(own, name.toLowerCase()));
  const lines = [...standard, ...Object.entries(own)].flatMap(([name, value]): Part[] => [
    `${name}: `,
    ...textParts(value, encodeHeader),
    '\r\n',
  ]);
  return joinTexts([
    `${method} `,
    ...textParts(path, encodePath),
    ...pairs,
    ` HTTP/1.1\r\nhost: ${host}:${target.port}\r\n`,
    ...lines,
  ]);
}

function contentType(body: LoadBody | undefined): Record<string, string> {
  switch (body?.kind) {
    case 'json':
      return { 'content-type': 'application/json' };
    case 'form':
      return { 'content-type': 'application/x-www-form-urlencoded' };
    case 'text':
      return { 'content-type': 'text/plain; charset=utf-8' };
    case undefined:
      return {};
  }
}

function bodyParts(body: LoadBody): Part[] {
  switch (body.kind) {
    case 'json':
      return joinTexts(jsonParts(body.value));
    case 'text':
      return textParts(body.text, toText);
    case 'form':
      return joinTexts(
        Object.entries(body.fields).flatMap(([name, value], index): Part[] => [
          `${index === 0 ? '' : '&'}${encodeURIComponent(name)}=`,
          ...textParts(value, encodeQuery),
        ]),
      );
  }
}

function jsonParts(value: JsonValue): Part[] {
  if (typeof value === 'string') {
    const [only, ...rest] = textParts(value, JSON.stringify);
    // A text that is one template alone keeps the type of its value.
    return typeof only === 'object' && rest.length === 0
      ? [only]
      : ['"', ...textParts(value, encodeInJson), '"'];
  }
  if (Array.isArray(value)) {
    return ['[', ...value.flatMap((item, index) => [...comma(index), ...jsonParts(item)]), ']'];
  }
  if (value === null || typeof value !== 'object') {
    return [JSON.stringify(value)];
  }
  const members = Object.entries(value).flatMap(([key, item], index) => [
    ...comma(index),
    `${JSON.stringify(key)}:`,
    ...jsonParts(item),
  ]);
  return ['{', ...members, '}'];
}

function comma(index: number): Part[] {
  return index === 0 ? [] : [','];
}

/** Literal text is encoded here, inserted values when they are known. */
function textParts(text: string, encode: Encode): Part[] {
  return parseTemplate(text).map((part) => {
    if (part.kind === 'text') {
      return encode(part.text);
    }
    if (!part.expression) {
      throw new Error(`"\${${part.raw}}" is not a template; the host should have refused the plan`);
    }
    return { expression: part.expression, encode };
  });
}

function joinTexts(parts: readonly Part[]): Part[] {
  const joined: Part[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (typeof part === 'string' && typeof last === 'string') {
      joined[joined.length - 1] = last + part;
    } else {
      joined.push(part);
    }
  }
  return joined;
}

function firstMissing(parts: readonly Part[], values: TemplateValues): string | undefined {
  for (const part of parts) {
    if (
      typeof part !== 'string' &&
      part.expression.kind === 'variable' &&
      !values.captures.has(part.expression.name)
    ) {
      return part.expression.name;
    }
  }
  return undefined;
}

function render(parts: readonly Part[], values: TemplateValues): string {
  let text = '';
  for (const part of parts) {
    text += typeof part === 'string' ? part : part.encode(valueOf(part.expression, values));
  }
  return text;
}

function valueOf(expression: TemplateExpression, { captures, prng }: TemplateValues): JsonValue {
  return expression.kind === 'random'
    ? randomValue(expression.what, expression.parameters, prng)
    : (captures.get(expression.name) ?? null);
}

function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Half of a surrogate pair, which a service may well answer, cannot be written into a URL. */
function toWellFormed(value: JsonValue): string {
  return Buffer.from(toText(value)).toString();
}

function encodeInJson(value: JsonValue): string {
  return JSON.stringify(toText(value)).slice(1, -1);
}

function encodeQuery(value: JsonValue): string {
  return encodeURIComponent(toWellFormed(value));
}

/** What a captured value may not do in a request line is encoded; "/", "?" and what is encoded already stay. */
function encodePath(value: JsonValue): string {
  return encodeURI(toWellFormed(value)).replaceAll('%25', '%').replaceAll('#', '%23');
}

/** A header's value cannot carry line ends; anything outside printable ASCII is left out. */
function encodeHeader(value: JsonValue): string {
  return toText(value).replaceAll(/[^\t\x20-\x7e]/g, '');
}
