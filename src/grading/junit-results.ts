import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { Check } from '../domain/grader-protocol.ts';
import { InfraError } from '../domain/errors.ts';
import { isJsonObject } from '../domain/json-value.ts';
import { SkillSchema, VisibilitySchema } from '../domain/verdict.ts';
import type { PlannedCheck } from '../report/run-facts.ts';

/** An artifact of this name is taken for the grader's results. */
export const JUNIT_ARTIFACT = 'junit.xml';

const MAX_DEPTH = 20;
const MAX_CASES = 10_000;
const MAX_TEXT_CHARS = 8000;

type Node = Record<string, unknown>;

// Entities are decoded below, the five of XML and numbers alone: a document type is refused, so there are no others.
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#text',
  processEntities: false,
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => ['testsuite', 'testcase', 'property', 'failure', 'error', 'skipped'].includes(name),
});

/**
 * The checks of a JUnit XML document. A test case is the planned check with the id of its property `id`, with the id
 * `<classname>/<slug of its name>`, or with its name; any other is a check of its own, with the properties `points`,
 * `skill` and `visibility`. `failure` is the submission's, `error` is ours, as everywhere. Throws InfraError
 * `GRADER_JUNIT` when the document is none.
 */
export function junitChecks(xml: string, planned: readonly PlannedCheck[]): Check[] {
  const cases = collectCases(readDocument(xml), [], 0);
  if (cases.length === 0) {
    throw broken('it holds no test case');
  }
  const taken = new Map<string, number>();
  const named = cases.slice(0, MAX_CASES).map((test) => ({ test, id: idOf(test) }));
  const byId = named.map(({ id }) => planned.find((check) => check.id === id));
  // A name says less than an id: it stands for checks that no case has by id, each once.
  const free = new Set(planned.filter((check) => !byId.includes(check)));
  return named.map(({ test, id }, index) => {
    const known = byId[index] ?? takeNamed(free, attribute(test.node, 'name'));
    const check = toCheck(test, id, known);
    const count = (taken.get(check.id) ?? 0) + 1;
    taken.set(check.id, count);
    return count === 1 ? check : { ...check, id: `${check.id}-${count}` };
  });
}

function readDocument(xml: string): Node {
  const text = xml.replace(/^\ufeff/, '');
  // What a service said, quoted whole, is no part of the document.
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text.replaceAll(/<!--.*?-->|<!\[CDATA\[.*?\]\]>/gs, ''))) {
    throw broken('it has a document type, which results need not');
  }
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    throw broken(`line ${valid.err.line}: ${valid.err.msg}`);
  }
  const document: unknown = parser.parse(text);
  const root = isJsonObject(document) ? (document['testsuites'] ?? document['testsuite']) : undefined;
  const [first] = [root].flat();
  if (first !== '' && !isJsonObject(first)) {
    throw broken('its root is neither "testsuites" nor "testsuite"');
  }
  return { testsuite: [root].flat() };
}

interface TestCase {
  node: Node;
  /** Names of the suites around it. */
  suites: string[];
}

function collectCases(node: Node, suites: string[], depth: number): TestCase[] {
  if (depth > MAX_DEPTH) {
    throw broken(`its suites are nested deeper than ${MAX_DEPTH} levels`);
  }
  const own = nodesOf(node['testcase']).map((test) => ({ node: test, suites }));
  const inner = nodesOf(node['testsuite']).flatMap((suite) => {
    const name = attribute(suite, 'name');
    return collectCases(suite, name === undefined ? suites : [...suites, name], depth + 1);
  });
  return [...own, ...inner];
}

function takeNamed(free: Set<PlannedCheck>, name: string | undefined): PlannedCheck | undefined {
  const found = [...free].find((check) => check.name === name);
  if (found) {
    free.delete(found);
  }
  return found;
}

function nameOf({ node }: TestCase): string {
  return attribute(node, 'name') ?? 'unnamed test';
}

function idOf(test: TestCase): string {
  const classname = attribute(test.node, 'classname') ?? test.suites.at(-1) ?? 'junit';
  return propertiesOf(test.node).get('id') ?? `${classname}/${slug(nameOf(test))}`;
}

function toCheck(test: TestCase, id: string, known: PlannedCheck | undefined): Check {
  const { node, suites } = test;
  const described = known ?? ownCheck(id, nameOf(test), suites.at(-1), propertiesOf(node));
  const { status, message, text } = outcomeOf(node);
  return {
    ...described,
    status,
    points: status === 'passed' ? described.maxPoints : 0,
    message: message.slice(0, 4000),
    durationMs: Math.max(0, Number(attribute(node, 'time')) * 1000 || 0),
    ...(text === '' ? {} : { evidence: { actual: text } }),
  };
}

function ownCheck(
  id: string,
  name: string,
  suite: string | undefined,
  properties: ReadonlyMap<string, string>,
): PlannedCheck {
  return {
    id: id.slice(0, 190),
    name: name.slice(0, 300),
    ...(suite === undefined ? {} : { suite: suite.slice(0, 300) }),
    maxPoints: pointsOf(properties.get('points')),
    skill: SkillSchema.catch('engineering').parse(properties.get('skill')),
    visibility: VisibilitySchema.catch('hidden').parse(properties.get('visibility')),
  };
}

interface Outcome {
  status: Check['status'];
  message: string;
  text: string;
}

const OUTCOMES = [
  ['failure', 'failed'],
  ['error', 'errored'],
  ['skipped', 'skipped'],
] as const;

function outcomeOf(node: Node): Outcome {
  for (const [key, status] of OUTCOMES) {
    const [found] = [node[key] ?? []].flat() as unknown[];
    if (found !== undefined) {
      const text = textOf(found);
      const message = (isJsonObject(found) ? attribute(found, 'message') : undefined) ?? text.split('\n')[0];
      return { status, message: message || `the test reported: ${key}`, text };
    }
  }
  return { status: 'passed', message: '', text: '' };
}

function textOf(value: unknown): string {
  const text = isJsonObject(value) ? value['#text'] : value;
  return typeof text === 'string' ? decode(text).slice(0, MAX_TEXT_CHARS) : '';
}

function propertiesOf(node: Node): Map<string, string> {
  const [list] = nodesOf(node['properties']);
  return new Map(
    nodesOf(list?.['property']).map((one) => [
      attribute(one, 'name') ?? '',
      attribute(one, 'value') ?? textOf(one),
    ]),
  );
}

function pointsOf(text: string | undefined): number {
  const points = Number(text ?? 1);
  return Number.isFinite(points) && points >= 0 ? points : 1;
}

function nodesOf(value: unknown): Node[] {
  return [value].flat().filter((one) => isJsonObject(one));
}

function attribute(node: Node, name: string): string | undefined {
  const value = node[`@${name}`];
  return typeof value === 'string' ? decode(value) : undefined;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function decode(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(amp|lt|gt|quot|apos));/gi,
    (whole, hex, decimal, name) => {
      if (typeof name === 'string') {
        return NAMED[name.toLowerCase()] ?? whole;
      }
      const code = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal);
      return code > 0 && code <= 0x10_ff_ff ? String.fromCodePoint(code) : '\ufffd';
    },
  );
}

function slug(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
}

function broken(reason: string): InfraError {
  return new InfraError('GRADER_JUNIT', `The grader's ${JUNIT_ARTIFACT} cannot be used: ${reason}.`);
}
