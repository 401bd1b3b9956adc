/** What deriving mutants wants to know of an OpenAPI document. */
export interface OpenApiFacts {
  /** Paths with the base path of the first server, "/links/{code}". */
  templates: string[];
  /** Names of the documented headers of an answer, lower case. */
  answerHeaders(operation: OperationKey): string[];
  /** The schema of an answer's body. */
  answerSchema(operation: OperationKey): unknown;
  /** Names of the members that a request body may have; undefined when the document does not say. */
  members(operation: Omit<OperationKey, 'status'>): string[] | undefined;
  /** Names of parameters, undefined for an operation that is not in the document. */
  parameters(operation: Omit<OperationKey, 'status'>, place: 'query' | 'header'): string[] | undefined;
  /** Follows references and `properties`, `items` along a place in a document. */
  schemaAt(schema: unknown, at: readonly string[]): Record<string, unknown> | undefined;
}

export interface OperationKey {
  method: string;
  path: string;
  status: number;
}

type Node = Record<string, unknown>;

const MAX_REFERENCES = 20;

/** Reads a parsed OpenAPI 3 document. What it does not understand it leaves out; the document is checked elsewhere. */
export function openApiFacts(document: unknown): OpenApiFacts {
  const root = nodeOf(document);
  const base = basePath(root);
  const paths = nodeOf(root['paths']);

  function resolve(value: unknown): Node {
    let node = nodeOf(value);
    for (let turn = 0; turn < MAX_REFERENCES && typeof node['$ref'] === 'string'; turn += 1) {
      node = nodeOf(lookUp(root, node['$ref']));
    }
    return node;
  }

  function item(path: string): Node {
    return resolve(paths[path.slice(base.length)]);
  }

  function operation({ method, path }: Omit<OperationKey, 'status'>): Node {
    return nodeOf(item(path)[method.toLowerCase()]);
  }

  function answer(key: OperationKey): Node {
    const method = key.method === 'HEAD' ? 'GET' : key.method;
    const answers = nodeOf(operation({ ...key, method })['responses']);
    return resolve(
      answers[String(key.status)] ?? answers[`${String(key.status)[0]}XX`] ?? answers['default'],
    );
  }

  function jsonSchema(content: unknown): unknown {
    const media = Object.entries(nodeOf(content)).find(([type]) => type.includes('json'));
    return media && nodeOf(media[1])['schema'];
  }

  function schemaAt(schema: unknown, at: readonly string[]): Node | undefined {
    const [step, ...rest] = at;
    const node = merged(resolve(schema), resolve);
    if (step === undefined) {
      return Object.keys(node).length > 0 ? node : undefined;
    }
    const next = step === '*' ? node['items'] : nodeOf(node['properties'])[step];
    return next === undefined ? undefined : schemaAt(next, rest);
  }

  return {
    templates: Object.keys(paths).map((path) => base + path),
    answerHeaders: (key) => Object.keys(nodeOf(answer(key)['headers'])).map((name) => name.toLowerCase()),
    answerSchema: (key) => jsonSchema(answer(key)['content']),
    members: (key) => {
      const schema = schemaAt(jsonSchema(resolve(operation(key)['requestBody'])['content']), []);
      return schema?.['properties'] === undefined ? undefined : Object.keys(nodeOf(schema['properties']));
    },
    parameters: (key, place) => {
      if (Object.keys(operation(key)).length === 0) {
        return undefined;
      }
      return [item(key.path)['parameters'], operation(key)['parameters']]
        .flatMap((list) => (Array.isArray(list) ? list : []))
        .map(resolve)
        .filter((parameter) => parameter['in'] === place)
        .map((parameter) => String(parameter['name']));
    },
    schemaAt,
  };
}

/** `allOf` is taken together; of `anyOf` and `oneOf` nothing is certain. */
function merged(node: Node, resolve: (value: unknown) => Node): Node {
  const parts = Array.isArray(node['allOf']) ? node['allOf'].map(resolve) : [];
  return parts.reduce<Node>(
    (all, part) => ({
      ...all,
      ...part,
      properties: { ...nodeOf(all['properties']), ...nodeOf(part['properties']) },
    }),
    node,
  );
}

function basePath(root: Node): string {
  const [server] = Array.isArray(root['servers']) ? (root['servers'] as unknown[]) : [];
  const stated = nodeOf(server)['url'];
  const url = typeof stated === 'string' ? stated : '';
  const path = URL.canParse(url, 'http://localhost') ? new URL(url, 'http://localhost').pathname : '/';
  return path.replace(/\/$/, '');
}

function lookUp(root: Node, reference: string): unknown {
  return reference
    .replace(/^#\//, '')
    .split('/')
    .map((part) => decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((node, part) => nodeOf(node)[part], root);
}

function nodeOf(value: unknown): Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Node) : {};
}
