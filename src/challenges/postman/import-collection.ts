import { stringify } from 'yaml';
import { ApiSuiteSchema } from '../../domain/api-suite.ts';
import { SpecError } from '../../domain/errors.ts';
import type { JsonValue } from '../../domain/json-value.ts';
import { CollectionSchema, flattenCollection } from './collection.ts';
import type { Collection, FlatRequest, PostmanEvent } from './collection.ts';
import { hasExpectations, noFindings } from './findings.ts';
import type { Findings } from './findings.ts';
import { suiteName } from './names.ts';
import { namesUsed, requestFields } from './request.ts';
import type { StepFields } from './request.ts';
import { readScript } from './script.ts';
import type { Notice } from './script.ts';
import { suiteVariables } from './variables.ts';

export interface ImportedSuite {
  /** A suite file, ready to be written. */
  yaml: string;
  tests: number;
  requests: number;
  /** Everything that was not carried over, with its place. */
  notices: Notice[];
}

/** One request of the collection in the language of suites. */
export interface ImportedRequest {
  flat: FlatRequest;
  fields: StepFields;
  findings: Findings;
  /** Variables it needs, and those that it captures, in suite spelling. */
  needs: Set<string>;
  gives: Set<string>;
}

/**
 * Makes a suite of a Postman collection (v2.1): a test for each folder that holds requests, with the requests as its
 * steps. What a test needs of earlier folders, such as a login, comes before its own steps. Throws a `SpecError` when
 * the file is no collection, or holds no request.
 */
export function importCollection(file: string, text: string): ImportedSuite {
  const collection = parseCollection(file, text);
  const notices: Notice[] = [];
  const flat = flattenCollection(collection);
  if (flat.length === 0) {
    throw new SpecError([{ file, message: 'the collection holds no request' }]);
  }
  const known = variablesSetAnywhere(collection, flat);
  const values = new Map((collection.variable ?? []).map(({ key, value }) => [key ?? '', value ?? '']));
  const requests = flat.map((one) => importRequest(one, values, known, notices));
  const suite = {
    suite: collection.info.name.slice(0, 300) || 'Imported collection',
    ...suiteVariables(collection, requests, notices),
    tests: testsOf(requests, new Set(values.keys())),
  };
  const checked = ApiSuiteSchema.safeParse(suite);
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message }) => ({
      file,
      path: path.join('.'),
      message,
    }));
    throw new SpecError(problems);
  }
  const yaml = `${header(file, notices)}${stringify(suite, { lineWidth: 0, aliasDuplicateObjects: false })}`;
  return { yaml, tests: suite.tests.length, requests: requests.length, notices };
}

function parseCollection(file: string, text: string): Collection {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new SpecError([{ file, message: `is not JSON: ${error instanceof Error ? error.message : ''}` }]);
  }
  // An export through Postman's API wraps the collection.
  const inner =
    typeof value === 'object' && value !== null && 'collection' in value ? value.collection : value;
  const parsed = CollectionSchema.safeParse(inner);
  if (!parsed.success) {
    throw new SpecError(
      parsed.error.issues.map(({ path, message }) => ({
        file,
        path: path.join('.'),
        message,
        mend: 'export the collection as "Collection v2.1"',
      })),
    );
  }
  return parsed.data;
}

/** By any script, wherever: enough to know that a condition on the variable cannot be decided here. */
function variablesSetAnywhere(collection: Collection, flat: readonly FlatRequest[]): Set<string> {
  const scripts = flat.flatMap(({ events }) => events.map(sourceOf)).join('\n');
  const set = [...scripts.matchAll(/\.set\w*\(\s*["'`]([^"'`]+)/g)].map((match) => match[1] ?? '');
  return new Set([...set, ...(collection.variable ?? []).map(({ key }) => key ?? '')]);
}

function importRequest(
  flat: FlatRequest,
  values: ReadonlyMap<string, string>,
  known: ReadonlySet<string>,
  notices: Notice[],
): ImportedRequest {
  const fields = requestFields(flat, values, (message) => notices.push({ place: flat.place, message }));
  const findings = noFindings();
  for (const event of flat.events) {
    const kind = event.listen === 'test' ? 'test script' : 'pre-request script';
    const own = event.listen === 'test' ? findings : noFindings();
    if (event.script?.src !== undefined) {
      notices.push({ place: `${flat.place}, ${kind}`, message: 'a script in a file of its own is not read' });
    }
    readScript(sourceOf(event), own, known, (line, message) => {
      notices.push({ place: `${flat.place}, ${kind} line ${line}`, message });
    });
    for (const [name, value] of own.settings) {
      findings.settings.set(name, value);
    }
  }
  const step = stepOf(fields, findings, true);
  const gives = new Set([...findings.captures.keys()].map(suiteName));
  return { flat, fields, findings, needs: namesUsed(step), gives };
}

function sourceOf(event: PostmanEvent): string {
  return event.disabled === true ? '' : [event.script?.exec ?? ''].flat().join('\n');
}

/** A step of the suite; one that only prepares another test expects nothing. */
function stepOf(fields: StepFields, findings: Findings, judged: boolean): StepFields {
  const expect = expectations(findings);
  const capture = Object.fromEntries(
    [...findings.captures].map(([name, source]) => [suiteName(name), source]),
  );
  return {
    ...fields,
    ...(judged && Object.keys(expect).length > 0 ? { expect } : {}),
    ...(findings.captures.size > 0 ? { capture } : {}),
  };
}

function expectations(findings: Findings): Record<string, JsonValue> {
  const { status, headers, jsonpath, text, schema, withinMs } = findings;
  return {
    ...(status === undefined ? {} : { status: status.length === 1 ? (status[0] ?? '2xx') : status }),
    ...(headers.size > 0 ? { headers: Object.fromEntries(headers) } : {}),
    ...(jsonpath.size > 0 ? { jsonpath: Object.fromEntries(jsonpath) } : {}),
    ...(schema === undefined ? {} : { schema }),
    ...(text === undefined ? {} : { text }),
    ...(withinMs === undefined ? {} : { within: `${withinMs}ms` }),
  };
}

function testsOf(
  requests: readonly ImportedRequest[],
  declared: ReadonlySet<string>,
): Record<string, JsonValue>[] {
  const groups = new Map<string, ImportedRequest[]>();
  for (const request of requests) {
    const key = request.flat.folder.join(' / ');
    groups.set(key, [...(groups.get(key) ?? []), request]);
  }
  const free = new Set([...declared].map(suiteName));
  return [...groups].map(([key, group]) => {
    const before = preparation(group, requests, free);
    const judged = group.filter(({ findings }) => hasExpectations(findings)).length;
    return {
      name: (key === '' ? 'Requests' : key).slice(0, 300),
      points: Math.max(1, judged),
      steps: [
        ...before.map(({ fields, findings }) => stepOf(fields, findings, false)),
        ...group.map(({ fields, findings }) => stepOf(fields, findings, true)),
      ],
    };
  });
}

/**
 * The earlier requests that a group builds on. A request that captures what the group uses is taken with all that
 * stands before it in its folder: a login is worth nothing without the registration.
 */
function preparation(
  group: readonly ImportedRequest[],
  all: readonly ImportedRequest[],
  free: ReadonlySet<string>,
): ImportedRequest[] {
  const taken = new Set<ImportedRequest>();
  const [first] = group;
  const earlier = first ? all.slice(0, all.indexOf(first)) : [];
  function take(requests: readonly ImportedRequest[]): void {
    const given = new Set<string>();
    for (const request of requests) {
      for (const name of request.needs) {
        const producer = earlier.findLast((one) => one.gives.has(name));
        const known = given.has(name) || (free.has(name) && !producer);
        if (!known && producer && !taken.has(producer) && !requests.includes(producer)) {
          const folder = producer.flat.folder.join(' / ');
          const mates = earlier.filter((one) => one.flat.folder.join(' / ') === folder);
          const needed = mates.slice(0, mates.indexOf(producer) + 1).filter((one) => !taken.has(one));
          needed.forEach((one) => taken.add(one));
          take(needed);
        }
      }
      request.gives.forEach((name) => given.add(name));
    }
  }
  take(group);
  return earlier.filter((one) => taken.has(one));
}

function header(file: string, notices: readonly Notice[]): string {
  const lines = notices.map(({ place, message }) => `#   ${place}: ${message}`.replaceAll(/[\r\n]+/g, ' '));
  return [
    `# Imported from ${file.split('/').at(-1) ?? file}.`,
    ...(lines.length > 0 ? ['# Not carried over:', ...lines] : []),
    '',
    '',
  ].join('\n');
}
