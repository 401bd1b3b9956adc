import { parse } from 'acorn';
import type {
  AnyNode,
  CallExpression,
  Expression,
  Function as FunctionNode,
  Pattern,
  Statement,
} from 'acorn';
import { readChain, wordsOf } from './chain.ts';
import type { Word } from './chain.ts';
import { readCondition } from './condition.ts';
import { keepSetting } from './findings.ts';
import type { Findings } from './findings.ts';
import { readResponseChain } from './response-chain.ts';
import { settingOf, valueOf, variableName } from './constants.ts';
import { dotted, memberKey, subjectOf } from './subject.ts';
import type { Aliases, Subject } from './subject.ts';

/** Something of the collection that the suite does not carry over. */
export interface Notice {
  /** "Articles / Create article, test script line 3" */
  place: string;
  message: string;
}

interface Reader {
  findings: Findings;
  aliases: Aliases;
  source: string;
  /** Variables that the collection declares or sets anywhere. */
  known: ReadonlySet<string>;
  notice: (line: number, message: string) => void;
}

/**
 * Translates the usual idioms of a Postman script (`pm.test`, `pm.expect`, `pm.response`, variables, and the older
 * `tests[…]`) into findings. Every statement that has no counterpart is a notice with its line.
 */
export function readScript(
  source: string,
  findings: Findings,
  known: ReadonlySet<string>,
  notice: (line: number, message: string) => void,
): void {
  let body: Statement[];
  try {
    const program = parse(source, {
      ecmaVersion: 'latest',
      locations: true,
      allowAwaitOutsideFunction: true,
      allowReturnOutsideFunction: true,
    });
    body = program.body as Statement[];
  } catch (error) {
    notice(1, `the script is not JavaScript: ${error instanceof Error ? error.message : ''}`);
    return;
  }
  readStatements(body, { findings, aliases: new Map(), source, known, notice });
}

function readStatements(statements: readonly Statement[], reader: Reader): void {
  for (const statement of statements) {
    readStatement(statement, reader);
  }
}

function readStatement(statement: Statement, reader: Reader): void {
  if (statement.type === 'BlockStatement') {
    readStatements(statement.body, reader);
  } else if (statement.type === 'ExpressionStatement') {
    readExpression(statement.expression, reader);
  } else if (statement.type === 'IfStatement') {
    readIf(statement, reader);
  } else if (statement.type === 'VariableDeclaration') {
    for (const { id, init } of statement.declarations) {
      if (init) {
        name(id, init, reader, statement);
      }
    }
  } else if (statement.type !== 'EmptyStatement') {
    untranslated(statement, reader);
  }
}

/** Only what a run cannot change is decided here: whether a variable exists that nothing in the collection sets. */
function readIf(statement: Extract<Statement, { type: 'IfStatement' }>, reader: Reader): void {
  const { test, consequent, alternate } = statement;
  const negated = test.type === 'UnaryExpression' && test.operator === '!';
  const variable = variableName(negated ? test.argument : test);
  if (variable === undefined || reader.known.has(variable)) {
    untranslated(statement, reader);
    return;
  }
  const taken = negated ? consequent : alternate;
  if (taken) {
    readStatement(taken, reader);
  }
}

/** `const article = pm.response.json().article` gives a part of the answer a name. */
function name(id: Pattern, init: Expression, reader: Reader, node: AnyNode): void {
  const subject = subjectOf(init, reader.aliases);
  if (subject && id.type === 'Identifier') {
    reader.aliases.set(id.name, subject);
    return;
  }
  if (subject?.kind === 'json' && id.type === 'ObjectPattern') {
    for (const property of id.properties) {
      const plain = property.type === 'Property' && property.key.type === 'Identifier' ? property : undefined;
      if (!plain || plain.value.type !== 'Identifier' || plain.key.type !== 'Identifier') {
        untranslated(node, reader);
        return;
      }
      reader.aliases.set(plain.value.name, { kind: 'json', path: `${subject.path}.${plain.key.name}` });
    }
    return;
  }
  untranslated(node, reader);
}

function readExpression(node: Expression, reader: Reader): void {
  if (node.type === 'AssignmentExpression' && node.operator === '=') {
    readAssignment(node, reader);
  } else if (node.type === 'CallExpression') {
    readCall(node, reader);
  } else if (!readAssertion(node, reader)) {
    untranslated(node, reader);
  }
}

function readAssignment(node: Extract<Expression, { type: 'AssignmentExpression' }>, reader: Reader): void {
  const { left, right } = node;
  if (left.type === 'Identifier') {
    name(left, right, reader, node);
  } else if (left.type === 'MemberExpression' && dotted(left.object) === 'tests') {
    if (!readCondition(reader.findings, right, reader.aliases)) {
      untranslated(node, reader);
    }
  } else {
    untranslated(node, reader);
  }
}

function readCall(node: CallExpression, reader: Reader): void {
  const callee = node.callee.type === 'Super' ? '' : dotted(node.callee);
  if (callee === 'pm.test') {
    readTest(node, reader);
    return;
  }
  const setting = settingOf(node);
  if (setting) {
    const { name: variable, value } = setting;
    const kept = keepSetting(reader.findings, variable, subjectOf(value, reader.aliases), valueOf(value));
    if (!kept) {
      untranslated(node, reader);
    }
    return;
  }
  if (!readAssertion(node, reader)) {
    untranslated(node, reader);
  }
}

function readTest(node: CallExpression, reader: Reader): void {
  const body = node.arguments.find(isFunction);
  if (!body) {
    untranslated(node, reader);
  } else if (body.body.type === 'BlockStatement') {
    readStatements(body.body.body, { ...reader, aliases: new Map(reader.aliases) });
  } else {
    readExpression(body.body, reader);
  }
}

function isFunction(node: AnyNode): node is FunctionNode & Expression {
  return node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression';
}

/** True when the node is an assertion, be it one that could be carried over or not. */
function readAssertion(node: Expression, reader: Reader): boolean {
  const expectation = wordsOf(node, isExpectCall);
  const [looked] = expectation?.root.type === 'CallExpression' ? expectation.root.arguments : [];
  if (expectation && looked) {
    const subject = subjectOf(looked, reader.aliases);
    const problem = problemOf(subject, expectation.words, reader);
    if (problem !== undefined) {
      untranslated(node, reader, problem);
    }
    return true;
  }
  const response = wordsOf(node, (root) => dotted(root) === 'pm.response');
  if (response && response.words.length > 0 && response.words[0]?.name === 'to') {
    const problem = readResponseChain(reader.findings, response.words);
    if (problem !== undefined) {
      untranslated(node, reader, problem);
    }
    return true;
  }
  return false;
}

function problemOf(
  subject: Subject | undefined,
  words: readonly Word[],
  { findings }: Reader,
): string | undefined {
  if (!subject) {
    return 'what it looks at is no part of the answer';
  }
  return subject.kind === 'response'
    ? readResponseChain(findings, words)
    : readChain(findings, subject, words);
}

function isExpectCall(node: Expression): boolean {
  if (node.type !== 'CallExpression' || node.callee.type === 'Super') {
    return false;
  }
  const callee = dotted(node.callee);
  return callee === 'pm.expect' || callee === 'expect' || (callee === '' && isBareExpect(node));
}

function isBareExpect(node: CallExpression): boolean {
  return node.callee.type === 'MemberExpression' && memberKey(node.callee) === 'expect';
}

function untranslated(node: AnyNode, reader: Reader, reason?: string): void {
  const text = reader.source.slice(node.start, node.end).replaceAll(/\s+/g, ' ');
  const shown = text.length > 120 ? `${text.slice(0, 117)}…` : text;
  reader.notice(node.loc?.start.line ?? 1, reason === undefined ? shown : `${shown} (${reason})`);
}
