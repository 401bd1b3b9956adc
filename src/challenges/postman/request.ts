import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import type { FlatRequest, KeyValue, PostmanAuth, PostmanBody, PostmanUrl } from './collection.ts';
import { suiteName, toTemplate, toTemplates, variablesIn } from './names.ts';

/** Keys of a request step; the body is under the key of its kind. */
export type StepFields = Record<string, JsonValue>;

type Tell = (message: string) => void;

/** The request of a step: method and path, query, headers, auth and body. */
export function requestFields(
  flat: FlatRequest,
  variables: ReadonlyMap<string, string>,
  tell: Tell,
): StepFields {
  const { request, auth } = flat;
  const { path, query } = readUrl(request.url, variables, tell);
  const headers = enabled(request.header).filter(({ key }) => !/^(?:content-length|host)$/i.test(key ?? ''));
  const credentials = authFields(auth, tell);
  const allHeaders = { ...credentials.headers, ...pairs(headers) };
  const allQuery = { ...query, ...credentials.query };
  const method = /^[A-Z]{3,20}$/.test(request.method.toUpperCase()) ? request.method.toUpperCase() : 'GET';
  return {
    request: `${method} ${path}`,
    ...(Object.keys(allQuery).length > 0 ? { query: allQuery } : {}),
    ...(Object.keys(allHeaders).length > 0 ? { headers: allHeaders } : {}),
    ...bodyFields(request.body ?? undefined, tell),
  };
}

function enabled(list: readonly KeyValue[] | undefined): KeyValue[] {
  return (list ?? []).filter((one) => one.disabled !== true && (one.key ?? '') !== '');
}

function pairs(list: readonly KeyValue[]): Record<string, JsonValue> {
  return Object.fromEntries(list.map(({ key, value }) => [key ?? '', toTemplate(value ?? '')]));
}

interface Address {
  path: string;
  query: Record<string, JsonValue>;
}

function readUrl(url: PostmanUrl, variables: ReadonlyMap<string, string>, tell: Tell): Address {
  const raw = typeof url === 'string' ? url : (url.raw ?? joinUrl(url));
  const [beforeHash = ''] = raw.split('#', 1);
  const mark = beforeHash.indexOf('?');
  const address = mark === -1 ? beforeHash : beforeHash.slice(0, mark);
  const parts = typeof url === 'string' ? undefined : url;
  const query = parts?.query
    ? enabled(parts.query)
    : parseQuery(mark === -1 ? '' : beforeHash.slice(mark + 1));
  const path = withPathVariables(withoutOrigin(address, variables, tell), parts?.variable ?? [], tell);
  return { path: toTemplate(path).replaceAll(' ', '%20'), query: listQuery(query) };
}

function joinUrl(url: Exclude<PostmanUrl, string>): string {
  const host = [url.host ?? []].flat().join('.');
  const path = [url.path ?? []].flat().map((part) => (typeof part === 'string' ? part : part.value));
  return `${host}/${path.join('/')}`;
}

function parseQuery(text: string): KeyValue[] {
  return text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [key = '', ...rest] = pair.split('=');
      return { key: decode(key), value: decode(rest.join('=')) };
    });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

/** A name that occurs several times has a list. */
function listQuery(query: readonly KeyValue[]): Record<string, JsonValue> {
  const listed: Record<string, JsonValue> = {};
  for (const { key, value } of query) {
    const name = key ?? '';
    const text = toTemplate(value ?? '');
    const before = listed[name];
    listed[name] = before === undefined ? text : [before, text].flat();
  }
  return listed;
}

/** What stands before the path: an address, or a variable that holds one. The path of such an address is kept. */
function withoutOrigin(address: string, variables: ReadonlyMap<string, string>, tell: Tell): string {
  const leading = /^\{\{([^{}]+)\}\}/.exec(address);
  if (leading) {
    const value = variables.get((leading[1] ?? '').trim()) ?? '';
    const rest = address.slice(leading[0].length);
    return rootPath(`${pathOf(value)}${rest.replace(/^:\d+/, '')}`);
  }
  if (/^https?:\/\//.test(address)) {
    const host = /^https?:\/\/([^/?]*)/.exec(address)?.[1] ?? '';
    if (!/^(?:localhost|127\.|\[::1\]|\{\{)/.test(host)) {
      tell(`the request goes to ${host}; in a suite it goes to the service`);
    }
    return rootPath(pathOf(address));
  }
  // "localhost:3000/links" and "example.com/links" name a host, "/links" none.
  return address.startsWith('/') ? address : rootPath(address.replace(/^[^/]*/, ''));
}

function pathOf(address: string): string {
  return address
    .replace(/^https?:\/\/[^/?]*/, '')
    .replace(/^[^/]*(?=\/|$)/, '')
    .replace(/\/$/, '');
}

function rootPath(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** Postman's ":id" in a path. */
function withPathVariables(path: string, variables: readonly KeyValue[], tell: Tell): string {
  return path.replaceAll(/\/:([A-Za-z_][\w-]*)/g, (whole, key: string) => {
    const value = variables.find((one) => one.key === key)?.value;
    if (value === undefined || value === null || value === '') {
      tell(`the path variable ":${key}" has no value; it stays as it is`);
      return whole;
    }
    return `/${value}`;
  });
}

interface Credentials {
  headers: Record<string, JsonValue>;
  query: Record<string, JsonValue>;
}

function authFields(auth: PostmanAuth | undefined, tell: Tell): Credentials {
  const none: Credentials = { headers: {}, query: {} };
  if (!auth || auth.type === 'noauth') {
    return none;
  }
  const setting = settingsOf(auth);
  switch (auth.type) {
    case 'bearer':
      return { ...none, headers: { authorization: toTemplate(`Bearer ${setting('token')}`) } };
    case 'apikey': {
      const entry = { [setting('key') || 'x-api-key']: toTemplate(setting('value')) };
      return setting('in') === 'query' ? { ...none, query: entry } : { ...none, headers: entry };
    }
    case 'basic': {
      const pair = `${setting('username')}:${setting('password')}`;
      if (variablesIn(pair).length > 0) {
        tell('basic auth with variables: the language has no base64; write the header by hand');
        return none;
      }
      return { ...none, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
    }
    default:
      tell(`auth of the type "${auth.type}" is not carried over`);
      return none;
  }
}

/** v2.1 lists settings as key and value, v2.0 has an object. */
function settingsOf(auth: PostmanAuth): (key: string) => string {
  const settings = auth[auth.type];
  return (key) => {
    const list: unknown[] = Array.isArray(settings) ? settings : [];
    const found = list.find((one) => isJsonObject(one) && one['key'] === key);
    const value = isJsonObject(found) ? found['value'] : objectOf(settings)[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  };
}

function objectOf(value: unknown): Record<string, unknown> {
  return isJsonObject(value) ? value : {};
}

function bodyFields(body: PostmanBody | undefined, tell: Tell): StepFields {
  if (!body || body.disabled === true) {
    return {};
  }
  switch (body.mode) {
    case 'raw':
      return rawBody(body.raw ?? '');
    case 'urlencoded':
      return { form: pairs(enabled(body.urlencoded)) };
    case 'formdata':
      return { multipart: parts(enabled(body.formdata), tell) };
    case 'graphql': {
      const variables = parseJson(body.graphql?.variables ?? '');
      const query = toTemplate(body.graphql?.query ?? '');
      return { json: { query, ...(variables === undefined ? {} : { variables: toTemplates(variables) }) } };
    }
    case undefined:
      return {};
    default:
      tell(`a body of the mode "${body.mode}" is not carried over`);
      return {};
  }
}

function rawBody(raw: string): StepFields {
  if (raw === '') {
    return {};
  }
  const json = parseJson(raw) ?? parseJson(withQuotedVariables(raw));
  return json === undefined ? { text: toTemplate(raw) } : { json: toTemplates(json) };
}

/** `{"n": {{count}}}` is JSON once the variable has its quotes; a template alone keeps the type of its value. */
function withQuotedVariables(raw: string): string {
  return raw.replaceAll(/([:[,]\s*)(\{\{[^{}]+\}\})(?=\s*[,}\]])/g, '$1"$2"');
}

function parseJson(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}

function parts(list: readonly KeyValue[], tell: Tell): Record<string, JsonValue> {
  return Object.fromEntries(
    list.map(({ key, value, type }) => {
      if (type === 'file') {
        tell(`the file of the part "${key ?? ''}" is not in the collection; a short text stands in for it`);
        return [key ?? '', { text: 'file', filename: 'file.txt' }];
      }
      return [key ?? '', { text: toTemplate(value ?? '') }];
    }),
  );
}

/** Names of the Postman variables that a request uses, in suite spelling. */
export function namesUsed(fields: JsonValue): Set<string> {
  return new Set(
    [...JSON.stringify(fields).matchAll(/(?<!\$)\$\{([A-Za-z_]\w*)[^}]*\}/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => name !== 'random' && name !== 'target')
      .map(suiteName),
  );
}
