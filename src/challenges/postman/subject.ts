import type { CallExpression, Expression, MemberExpression, SpreadElement } from 'acorn';

/** What an assertion looks at. */
export type Subject =
  | { kind: 'json'; path: string }
  | { kind: 'length'; path: string }
  | { kind: 'type'; path: string }
  | { kind: 'header'; name: string }
  | { kind: 'status' | 'text' | 'time' | 'response' };

/** Names that a script has given to parts of the answer. */
export type Aliases = Map<string, Subject>;

/** "pm.response.json" for a chain of plain names, "" for anything else. */
export function dotted(
  node: Expression | SpreadElement | MemberExpression['object'] | MemberExpression['property'],
): string {
  if (node.type === 'Identifier') {
    return node.name;
  }
  if (node.type !== 'MemberExpression') {
    return '';
  }
  const object = dotted(node.object);
  const key = memberKey(node);
  return object === '' || typeof key !== 'string' ? '' : `${object}.${key}`;
}

/** The key of `a.b`, `a["b"]` or `a[0]`, or undefined when it is computed. */
export function memberKey(node: MemberExpression): string | number | undefined {
  if (!node.computed) {
    return node.property.type === 'Identifier' ? node.property.name : undefined;
  }
  const { property } = node;
  const plain = property.type === 'Literal' && ['string', 'number'].includes(typeof property.value);
  return plain ? (property.value as string | number) : undefined;
}

/** What an expression stands for in the answer, or undefined. */
export function subjectOf(node: Expression | SpreadElement, aliases: Aliases): Subject | undefined {
  if (node.type === 'Identifier') {
    return aliases.get(node.name) ?? OLD_NAMES[node.name];
  }
  if (node.type === 'LogicalExpression' && node.operator !== '&&') {
    return subjectOf(node.left, aliases);
  }
  if (node.type === 'UnaryExpression' && node.operator === 'typeof') {
    const inner = subjectOf(node.argument, aliases);
    return inner?.kind === 'json' ? { kind: 'type', path: inner.path } : undefined;
  }
  if (node.type === 'ChainExpression') {
    return subjectOf(node.expression, aliases);
  }
  if (node.type === 'CallExpression') {
    return subjectOfCall(node, aliases);
  }
  return node.type === 'MemberExpression' ? subjectOfMember(node, aliases) : undefined;
}

const OLD_NAMES: Readonly<Record<string, Subject>> = {
  responseBody: { kind: 'text' },
  responseTime: { kind: 'time' },
};
const MEMBERS: Readonly<Record<string, Subject>> = {
  'pm.response': { kind: 'response' },
  'pm.response.code': { kind: 'status' },
  'responseCode.code': { kind: 'status' },
  'pm.response.responseTime': { kind: 'time' },
};

function subjectOfMember(node: MemberExpression, aliases: Aliases): Subject | undefined {
  const known = MEMBERS[dotted(node)];
  if (known) {
    return known;
  }
  const object = node.object.type === 'Super' ? undefined : subjectOf(node.object, aliases);
  const key = memberKey(node);
  if (object?.kind !== 'json' || key === undefined) {
    return undefined;
  }
  return key === 'length'
    ? { kind: 'length', path: object.path }
    : { kind: 'json', path: childPath(object.path, key) };
}

function subjectOfCall(node: CallExpression, aliases: Aliases): Subject | undefined {
  const callee = node.callee.type === 'Super' ? '' : dotted(node.callee);
  const [argument] = node.arguments;
  if (callee === 'pm.response.json') {
    return { kind: 'json', path: '$' };
  }
  if (callee === 'pm.response.text') {
    return { kind: 'text' };
  }
  if (callee === 'JSON.parse' && argument && subjectOf(argument, aliases)?.kind === 'text') {
    return { kind: 'json', path: '$' };
  }
  const header = callee === 'pm.response.headers.get' || callee === 'postman.getResponseHeader';
  return header && argument?.type === 'Literal' && typeof argument.value === 'string'
    ? { kind: 'header', name: argument.value.toLowerCase() }
    : undefined;
}

/** "$.a" and "b c" become "$.a['b c']". */
export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') {
    return `${path}[${key}]`;
  }
  return /^[A-Za-z_]\w*$/.test(key)
    ? `${path}.${key}`
    : `${path}['${key.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}']`;
}
