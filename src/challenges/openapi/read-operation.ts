import type {
  ContractLink,
  ContractOperation,
  ContractParameter,
  ContractResponse,
  JsonSchema,
} from '../../domain/contract-plan.ts';
import { pathParameters } from '../../domain/contract-resources.ts';
import { isJsonObject } from '../../domain/json-value.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import type { OpenApiSource, Placed } from './openapi-source.ts';
import type { SchemaReader } from './openapi-schema.ts';

const PLACES = ['path', 'query', 'header', 'cookie'] as const;
/** These describe the exchange itself; OpenAPI leaves them to the rest of the document. */
const IGNORED_HEADERS = new Set(['accept', 'content-type', 'authorization']);
const STATUS = /^(?:[1-5]\d\d|[1-5]XX|default)$/;

interface Raw {
  method: string;
  path: string;
  item: Placed<Record<string, unknown>>;
  operation: Placed<Record<string, unknown>>;
  document: Record<string, unknown>;
}

interface Readers {
  request: SchemaReader;
  response: SchemaReader;
}

type Entry = Placed<Record<string, unknown>>;

/** Reads one operation; what is wrong in it goes to the source's problems. */
export function readOperation(raw: Raw, source: OpenApiSource, readers: Readers): ContractOperation {
  const { method, path, operation, item } = raw;
  const given = operation.value['operationId'];
  const id = typeof given === 'string' ? given : `${method}${path}`;
  return {
    id: id.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-|-$/g, ''),
    method: method.toUpperCase(),
    path,
    parameters: readParameters(
      [listAt(item, 'parameters'), listAt(operation, 'parameters')],
      raw,
      source,
      readers,
    ),
    body: readBody(operation, source, readers.request),
    responses: readResponses(operation, source, readers.response),
    secured: isSecured(operation.value['security'] ?? raw.document['security']),
  };
}

function listAt(owner: Entry, key: string): Placed[] {
  const list = owner.value[key];
  return (Array.isArray(list) ? list : []).map((value: unknown, index) => ({
    value,
    place: [...owner.place, key, index],
  }));
}

function entriesAt(owner: Entry, key: string): [string, Placed][] {
  const map = owner.value[key];
  return Object.entries(isJsonObject(map) ? map : {}).map(([name, value]) => [
    name,
    { value, place: [...owner.place, key, name] },
  ]);
}

/** Those of the path, unless the operation has one of the same name and place. */
function readParameters(
  lists: Placed[][],
  { path, operation }: Raw,
  source: OpenApiSource,
  readers: Readers,
): ContractParameter[] {
  const parameters = new Map<string, ContractParameter>();
  for (const from of lists.flat()) {
    const found = source.object(from, 'a parameter');
    const parameter = found && readParameter(found, source, readers.request);
    if (parameter && !(parameter.in === 'header' && IGNORED_HEADERS.has(parameter.name.toLowerCase()))) {
      parameters.set(`${parameter.in} ${parameter.name}`, parameter);
    }
  }
  const list = [...parameters.values()];
  const inPath = list.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
  for (const name of pathParameters(path).filter((one) => !inPath.includes(one))) {
    source.report(operation.place, `the path has {${name}}, but there is no such path parameter`);
  }
  for (const name of inPath.filter((one) => !pathParameters(path).includes(one))) {
    source.report(operation.place, `the path parameter "${name}" is not in the path ${path}`);
  }
  return list;
}

function readParameter(
  { value, place }: Entry,
  source: OpenApiSource,
  schemas: SchemaReader,
): ContractParameter | undefined {
  const name = value['name'];
  const where = PLACES.find((one) => one === value['in']);
  if (typeof name !== 'string' || !where) {
    source.report(place, `expected a parameter with a name and in: ${PLACES.join(', ')}`);
    return undefined;
  }
  const content = entriesAt({ value, place }, 'content')[0]?.[1];
  const schema = value['schema'] ?? (isJsonObject(content?.value) ? content.value['schema'] : undefined);
  const at = value['schema'] === undefined ? [...(content?.place ?? place), 'schema'] : [...place, 'schema'];
  return {
    name,
    in: where,
    required: where === 'path' || value['required'] === true,
    schema: schema === undefined ? true : schemas.read({ value: schema, place: at }),
    joined: value['explode'] === false || where === 'path' || where === 'header',
    linked: false,
  };
}

function readBody(operation: Entry, source: OpenApiSource, schemas: SchemaReader): ContractOperation['body'] {
  if (operation.value['requestBody'] === undefined) {
    return undefined;
  }
  const from = { value: operation.value['requestBody'], place: [...operation.place, 'requestBody'] };
  const body = source.object(from, 'a request body');
  const media = (body ? entriesAt(body, 'content') : []).find(([type]) => isJsonType(type));
  if (!body || !media) {
    const mend =
      'requests are derived for JSON bodies; describe one, or leave the operation out of the document';
    source.report(from.place, 'has no application/json content', body ? mend : undefined);
    return undefined;
  }
  const [type, { value, place }] = media;
  const schema = isJsonObject(value) ? value['schema'] : undefined;
  return {
    required: body.value['required'] === true,
    type,
    schema: schema === undefined ? true : schemas.read({ value: schema, place: [...place, 'schema'] }),
  };
}

function readResponses(
  operation: Entry,
  source: OpenApiSource,
  schemas: SchemaReader,
): Record<string, ContractResponse> {
  const responses: Record<string, ContractResponse> = {};
  const entries = entriesAt(operation, 'responses').filter(([status]) => !status.startsWith('x-'));
  for (const [status, from] of entries) {
    const response = source.object(from, 'a response');
    if (!STATUS.test(status)) {
      source.report(from.place, `"${status}" is not a status, a range such as 4XX, or default`);
    } else if (response) {
      responses[status] = readResponse(response, source, schemas);
    }
  }
  if (entries.length === 0) {
    source.report(operation.place, 'the operation documents no responses');
  }
  return responses;
}

function readResponse(response: Entry, source: OpenApiSource, schemas: SchemaReader): ContractResponse {
  const content = entriesAt(response, 'content').map(([type, { value, place }]): [string, JsonSchema] => {
    const schema = isJsonObject(value) ? value['schema'] : undefined;
    const usable = schema !== undefined && isJsonType(type);
    return [type.toLowerCase(), usable ? schemas.read({ value: schema, place: [...place, 'schema'] }) : true];
  });
  const headers = entriesAt(response, 'headers').flatMap(([name, from]) => {
    const header = source.object(from, 'a header');
    const schema = header?.value['schema'];
    const place = [...(header?.place ?? from.place), 'schema'];
    return header && name.toLowerCase() !== 'content-type'
      ? [
          {
            name,
            required: header.value['required'] === true,
            schema: schema === undefined ? true : schemas.read({ value: schema, place }),
          },
        ]
      : [];
  });
  return {
    content: content.length > 0 ? Object.fromEntries(content) : undefined,
    headers,
    links: entriesAt(response, 'links').flatMap(([, from]) => readLink(from, source)),
  };
}

function readLink(from: Placed, source: OpenApiSource): ContractLink[] {
  const link = source.object(from, 'a link');
  const operation = link?.value['operationId'];
  if (link && typeof operation !== 'string') {
    source.report(link.place, 'expected a link with an operationId');
  }
  const parameters = link?.value['parameters'];
  return typeof operation === 'string'
    ? [{ operation, parameters: isJsonObject(parameters) ? (parameters as Record<string, JsonValue>) : {} }]
    : [];
}

/** True where no alternative lets anybody in. */
function isSecured(security: unknown): boolean {
  return (
    Array.isArray(security) &&
    security.length > 0 &&
    security.every((one) => isJsonObject(one) && Object.keys(one).length > 0)
  );
}

function isJsonType(type: string): boolean {
  return /^application\/(?:[\w.+-]+\+)?json(?:;.*)?$/i.test(type);
}
