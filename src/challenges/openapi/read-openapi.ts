import type { ContractOperation, JsonSchema } from '../../domain/contract-plan.ts';
import type { SpecProblem } from '../../domain/errors.ts';
import { isJsonObject } from '../../domain/json-value.ts';
import type { SpecYaml } from '../spec-yaml.ts';
import { OpenApiSource } from './openapi-source.ts';
import type { Placed } from './openapi-source.ts';
import { SchemaReader } from './openapi-schema.ts';
import { readOperation } from './read-operation.ts';

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];

/** What a document says, with all references resolved. */
export interface OpenApiContract {
  operations: ContractOperation[];
  requestDefs: Record<string, JsonSchema>;
  responseDefs: Record<string, JsonSchema>;
}

/**
 * Reads an OpenAPI 3.0 or 3.1 document. Adds every mistake to `problems`, with its line; what comes back is of use only
 * when there was none. References are followed inside the document alone.
 */
export function readOpenApi(yaml: SpecYaml, problems: SpecProblem[]): OpenApiContract {
  const source = new OpenApiSource(yaml, problems);
  const readers = {
    request: new SchemaReader(source, 'request'),
    response: new SchemaReader(source, 'response'),
  };
  const document = isJsonObject(yaml.value) ? yaml.value : {};
  const version = document['openapi'];
  if (typeof version !== 'string' || !/^3\.[01](?:\.\d+)?$/.test(version)) {
    const mend = 'write openapi: 3.1.0 (or 3.0.x)';
    source.report(['openapi'], `expected an OpenAPI document of version 3.0 or 3.1`, mend);
  }
  const operations: ContractOperation[] = [];
  const paths = source.object({ value: document['paths'], place: ['paths'] }, 'the paths');
  for (const [path, value] of Object.entries(paths?.value ?? {})) {
    const item = source.object({ value, place: ['paths', path] }, 'a path item');
    if (path.startsWith('/') && item) {
      operations.push(...readPath(path, item));
    } else if (!path.startsWith('x-') && !path.startsWith('/')) {
      source.report(['paths', path], `the path "${path}" does not begin with "/"`);
    }
  }
  if (paths && operations.length === 0) {
    source.report(['paths'], 'there is no operation');
  }
  checkIds(operations, source);
  markLinked(operations);
  return { operations, requestDefs: readers.request.defs, responseDefs: readers.response.defs };

  function readPath(path: string, item: Placed<Record<string, unknown>>): ContractOperation[] {
    return METHODS.filter((method) => item.value[method] !== undefined).flatMap((method) => {
      const from = { value: item.value[method], place: [...item.place, method] };
      const operation = source.object(from, 'an operation');
      return operation ? [readOperation({ method, path, item, operation, document }, source, readers)] : [];
    });
  }
}

/** Ids are part of the ids of checks; links name operations by them. */
function checkIds(operations: readonly ContractOperation[], source: OpenApiSource): void {
  const known = new Set<string>();
  for (const { id, path, method, responses } of operations) {
    const place = ['paths', path, method.toLowerCase()];
    if (known.has(id)) {
      source.report([...place, 'operationId'], `the operationId "${id}" is taken by another operation`);
    }
    known.add(id);
    for (const [status, { links }] of Object.entries(responses)) {
      for (const { operation } of links) {
        if (!operations.some((one) => one.id === operation)) {
          const message = `a link leads to the operation "${operation}", which does not exist`;
          source.report([...place, 'responses', status, 'links'], message);
        }
      }
    }
  }
}

/** An optional parameter that a link feeds is only ever sent with what an answer gave. */
function markLinked(operations: readonly ContractOperation[]): void {
  const links = operations.flatMap(({ responses }) => Object.values(responses).flatMap((one) => one.links));
  for (const { id, parameters } of operations) {
    const fed = links.filter((link) => link.operation === id).flatMap((link) => Object.keys(link.parameters));
    for (const parameter of parameters) {
      parameter.linked =
        !parameter.required &&
        (fed.includes(parameter.name) || fed.includes(`${parameter.in}.${parameter.name}`));
    }
  }
}
