import type { BinaryExpression, CallExpression, Expression, MemberExpression, SpreadElement } from 'acorn';
import type { JsonValue } from '../../domain/json-value.ts';
import { exactly } from './chain.ts';
import { expectOf, propertyOf } from './findings.ts';
import type { Findings } from './findings.ts';
import { valueOf } from './constants.ts';
import { dotted, memberKey, subjectOf } from './subject.ts';
import type { Aliases } from './subject.ts';

/**
 * Reads a condition that must hold, as in `tests["…"] = responseCode.code === 200`. False when it, or a part of it,
 * has no counterpart.
 */
export function readCondition(findings: Findings, node: Expression, aliases: Aliases): boolean {
  if (node.type === 'LogicalExpression' && node.operator === '&&') {
    return readCondition(findings, node.left, aliases) && readCondition(findings, node.right, aliases);
  }
  if (node.type === 'BinaryExpression') {
    return readComparison(findings, node, aliases);
  }
  if (node.type === 'CallExpression') {
    return readCall(findings, node, aliases);
  }
  if (node.type === 'UnaryExpression' && node.operator === '!') {
    return readNegation(findings, node.argument, aliases);
  }
  const subject = subjectOf(node, aliases);
  const truthy: JsonValue = { $any: true, $not: { $oneOf: [null, false, 0, ''] } };
  return subject?.kind === 'json' && expectOf(findings, subject, truthy);
}

const OPERATORS: Readonly<Record<string, string>> = { '>': '$gt', '>=': '$gte', '<': '$lt', '<=': '$lte' };
const MIRRORED: Readonly<Record<string, string>> = { '>': '<', '>=': '<=', '<': '>', '<=': '>=' };

function readComparison(findings: Findings, node: BinaryExpression, aliases: Aliases): boolean {
  if (node.left.type === 'PrivateIdentifier') {
    return false;
  }
  if (isIsoDate(node.left, node.right, aliases)) {
    const subject = subjectOf(node.right, aliases);
    return subject !== undefined && expectOf(findings, subject, { $date: 'iso' });
  }
  const direct = subjectOf(node.left, aliases);
  const [subject, other] = direct ? [direct, node.right] : [subjectOf(node.right, aliases), node.left];
  const value = valueOf(other) ?? (dotted(other) === 'undefined' ? UNDEFINED : undefined);
  const operator = direct ? node.operator : (MIRRORED[node.operator] ?? node.operator);
  const expected = value === undefined ? undefined : comparisonOf(operator, value);
  return subject !== undefined && expected !== undefined && expectOf(findings, subject, expected);
}

const UNDEFINED = '\u0000undefined';

function comparisonOf(operator: string, value: JsonValue): JsonValue | undefined {
  if (operator === '===' || operator === '==') {
    return value === UNDEFINED ? { $absent: true } : exactly(value);
  }
  if (operator === '!==' || operator === '!=') {
    return value === UNDEFINED ? { $any: true } : { $not: exactly(value) };
  }
  const matcher = OPERATORS[operator];
  return matcher === undefined || value === UNDEFINED ? undefined : { [matcher]: value };
}

/** `new Date(x).toISOString() === x` */
function isIsoDate(left: Expression, right: Expression, aliases: Aliases): boolean {
  if (left.type !== 'CallExpression' || left.callee.type !== 'MemberExpression') {
    return false;
  }
  const { object } = left.callee;
  return (
    memberKey(left.callee) === 'toISOString' &&
    object.type === 'NewExpression' &&
    dotted(object.callee) === 'Date' &&
    object.arguments[0] !== undefined &&
    JSON.stringify(subjectOf(object.arguments[0], aliases)) === JSON.stringify(subjectOf(right, aliases))
  );
}

const TYPE_CALLS: Readonly<Record<string, string>> = {
  'Array.isArray': 'array',
  'Number.isInteger': 'integer',
};

function readCall(findings: Findings, node: CallExpression, aliases: Aliases): boolean {
  const [argument] = node.arguments;
  if (!argument || node.callee.type === 'Super') {
    return false;
  }
  const type = TYPE_CALLS[dotted(node.callee)];
  const subject = subjectOf(argument, aliases);
  if (type !== undefined) {
    return subject?.kind === 'json' && expectOf(findings, subject, { $type: type });
  }
  const { callee } = node;
  return callee.type === 'MemberExpression' && readMethod(findings, callee, argument, aliases);
}

/** `x.hasOwnProperty("a")`, `text.includes("a")` */
function readMethod(
  findings: Findings,
  callee: MemberExpression,
  argument: Expression | SpreadElement,
  aliases: Aliases,
): boolean {
  const owner = callee.object.type === 'Super' ? undefined : subjectOf(callee.object, aliases);
  const value = valueOf(argument);
  if (!owner || value === undefined) {
    return false;
  }
  if (memberKey(callee) === 'hasOwnProperty' && typeof value === 'string') {
    const inner = propertyOf(owner, value, false);
    return inner !== undefined && expectOf(findings, inner, { $any: true });
  }
  const contains = memberKey(callee) === 'has' || memberKey(callee) === 'includes';
  return contains && expectOf(findings, owner, { $contains: value });
}

function readNegation(findings: Findings, node: Expression, aliases: Aliases): boolean {
  const call = node.type === 'CallExpression' ? node : undefined;
  const [argument] = call?.arguments ?? [];
  if (call?.callee.type === 'MemberExpression' && memberKey(call.callee) === 'hasOwnProperty' && argument) {
    const owner = call.callee.object.type === 'Super' ? undefined : subjectOf(call.callee.object, aliases);
    const key = valueOf(argument);
    const inner = owner && typeof key === 'string' ? propertyOf(owner, key, false) : undefined;
    return inner !== undefined && expectOf(findings, inner, { $absent: true });
  }
  return false;
}
