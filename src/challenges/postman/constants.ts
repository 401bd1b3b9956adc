import type { CallExpression, Expression, MemberExpression, SpreadElement } from 'acorn';
import type { JsonValue } from '../../domain/json-value.ts';
import { escapeTemplate, suiteName } from './names.ts';
import { dotted, memberKey } from './subject.ts';

const VARIABLE_SCOPES = /^(?:pm\.(?:environment|globals|collectionVariables|variables)|postman)$/;

/** The value of a literal, an array or object of them, or a variable's template; undefined for anything else. */
export function valueOf(node: Expression | SpreadElement): JsonValue | undefined {
  if (node.type === 'Literal') {
    return literalValue(node.value);
  }
  if (node.type === 'TemplateLiteral') {
    return node.expressions.length === 0 ? escapeTemplate(node.quasis[0]?.value.cooked ?? '') : undefined;
  }
  if (node.type === 'UnaryExpression' || node.type === 'BinaryExpression') {
    return computedValue(node);
  }
  if (node.type === 'ArrayExpression') {
    const items = node.elements.map((item) => (item ? valueOf(item) : undefined));
    return items.includes(undefined) ? undefined : (items as JsonValue[]);
  }
  if (node.type === 'ObjectExpression') {
    return objectValue(node);
  }
  return node.type === 'CallExpression' || node.type === 'MemberExpression' ? variableValue(node) : undefined;
}

/** A negative number, or texts that are put together. */
function computedValue(
  node: Extract<Expression, { type: 'UnaryExpression' | 'BinaryExpression' }>,
): JsonValue | undefined {
  if (node.type === 'UnaryExpression') {
    const value = node.operator === '-' ? valueOf(node.argument) : undefined;
    return typeof value === 'number' ? -value : undefined;
  }
  if (node.operator !== '+' || node.left.type === 'PrivateIdentifier') {
    return undefined;
  }
  const [left, right] = [valueOf(node.left), valueOf(node.right)];
  return typeof left === 'string' && typeof right === 'string' ? left + right : undefined;
}

function literalValue(value: unknown): JsonValue | undefined {
  if (typeof value === 'string') {
    return escapeTemplate(value);
  }
  return value === null || typeof value === 'number' || typeof value === 'boolean' ? value : undefined;
}

function objectValue(node: Extract<Expression, { type: 'ObjectExpression' }>): JsonValue | undefined {
  const entries: [string, JsonValue][] = [];
  for (const property of node.properties) {
    const key = property.type === 'Property' && !property.computed ? keyOf(property.key) : undefined;
    const value = property.type === 'Property' ? valueOf(property.value) : undefined;
    if (key === undefined || value === undefined) {
      return undefined;
    }
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function keyOf(node: Expression | { type: 'PrivateIdentifier' }): string | undefined {
  if (node.type === 'Identifier') {
    return node.name;
  }
  return node.type === 'Literal' ? String(node.value) : undefined;
}

/** `pm.environment.get("x")` and `environment.x` stand for "${x}". */
function variableValue(node: CallExpression | MemberExpression): JsonValue | undefined {
  const name = variableName(node);
  return name === undefined ? undefined : `\${${suiteName(name)}}`;
}

/** The Postman variable that an expression reads. */
export function variableName(node: Expression | SpreadElement): string | undefined {
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') {
    const scope = dotted(node.callee.object);
    const [argument] = node.arguments;
    const reads = /^get(?:EnvironmentVariable|GlobalVariable)?$/.test(String(memberKey(node.callee)));
    return reads &&
      VARIABLE_SCOPES.test(scope) &&
      argument?.type === 'Literal' &&
      typeof argument.value === 'string'
      ? argument.value
      : undefined;
  }
  if (node.type === 'MemberExpression') {
    const key = memberKey(node);
    return /^(?:environment|globals)$/.test(dotted(node.object)) && typeof key === 'string' ? key : undefined;
  }
  return undefined;
}

/** The name and the value of `pm.environment.set("x", …)` and its older forms. */
export function settingOf(
  node: CallExpression,
): { name: string; value: Expression | SpreadElement } | undefined {
  if (node.callee.type !== 'MemberExpression') {
    return undefined;
  }
  const sets = /^set(?:EnvironmentVariable|GlobalVariable)?$/.test(String(memberKey(node.callee)));
  const [name, value] = node.arguments;
  return sets &&
    VARIABLE_SCOPES.test(dotted(node.callee.object)) &&
    name?.type === 'Literal' &&
    typeof name.value === 'string' &&
    value
    ? { name: name.value, value }
    : undefined;
}
