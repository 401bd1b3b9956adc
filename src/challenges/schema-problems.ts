import type { z } from 'zod';
import type { SpecProblem } from '../domain/errors.ts';
import { didYouMean } from './did-you-mean.ts';
import { allowedKeys } from './schema-keys.ts';
import type { SpecYaml, YamlPath } from './spec-yaml.ts';

type Issue = z.core.$ZodIssue;

interface Context {
  schema: z.ZodType;
  yaml: SpecYaml;
  languageKeys: readonly string[];
}

/**
 * Checks the parsed file against `schema`. Returns the value, or undefined after adding one problem for every
 * mistake, each with its line, its path, what was expected and the mend. `languageKeys` are suggested where the
 * schema itself cannot tell which keys a place takes.
 */
export function checkAgainst<T extends z.ZodType>(
  schema: T,
  yaml: SpecYaml,
  problems: SpecProblem[],
  languageKeys: readonly string[] = [],
): z.infer<T> | undefined {
  const result = schema.safeParse(yaml.value, { reportInput: true });
  if (result.success) {
    return result.data;
  }
  const context = { schema, yaml, languageKeys };
  for (const issue of result.error.issues) {
    problems.push(...toProblems(context, issue, []));
  }
  return undefined;
}

function toProblems(context: Context, issue: Issue, parent: YamlPath): SpecProblem[] {
  const place = [...parent, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(context, place, key));
  }
  const branch = issue.code === 'invalid_union' ? likeliestBranch(issue.errors) : undefined;
  if (branch) {
    return branch.flatMap((inner) => toProblems(context, inner, place));
  }
  return [problemAt(context.yaml, place, describe(issue), mendOf(issue))];
}

function unknownKey({ schema, yaml, languageKeys }: Context, place: YamlPath, key: string): SpecProblem {
  const allowed = allowedKeys(schema, place);
  const near = didYouMean(key, allowed.length > 0 ? allowed : languageKeys);
  const known = allowed.length > 0 ? `keys here are ${allowed.join(', ')}` : 'remove it';
  const line = yaml.lineOfKey(place, key);
  return {
    ...problemAt(yaml, place, `unknown key "${key}"`, near ? `did you mean "${near}"?` : known),
    ...(line === undefined ? {} : { line }),
  };
}

/**
 * A union fails once per branch. The author meant the branch that took the value's outer type and found least
 * to complain about; the others only confuse.
 */
function likeliestBranch(branches: readonly Issue[][]): Issue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some(isOuterMismatch));
  return fitting.toSorted((a, b) => a.length - b.length)[0];
}

function isOuterMismatch(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function describe(issue: Issue): string {
  const { input } = issue;
  if (issue.code === 'invalid_type') {
    return input === undefined
      ? `missing: expected ${issue.expected}`
      : `expected ${issue.expected}, got ${show(input)}`;
  }
  if (issue.code === 'invalid_value') {
    return `expected ${issue.values.map((value) => show(value)).join(' or ')}, got ${show(input)}`;
  }
  if (issue.code === 'invalid_union') {
    const expected = issue.errors.flatMap((branch) => branch.filter(isOuterMismatch).map(expectedOf));
    const choices = [...new Set(expected)].join(' or ');
    return choices ? `expected ${choices}, got ${show(input)}` : `not allowed here: ${show(input)}`;
  }
  return issue.code === 'custom' || issue.code === 'invalid_format'
    ? issue.message
    : `${issue.message}, got ${show(input)}`;
}

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type') {
    return issue.expected;
  }
  return issue.code === 'invalid_value'
    ? issue.values.map((value) => show(value)).join(' or ')
    : issue.message;
}

function mendOf(issue: Issue): string | undefined {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') {
    return undefined;
  }
  const near = didYouMean(issue.input, issue.values.map(String));
  return near ? `did you mean "${near}"?` : undefined;
}

function show(value: unknown): string {
  if (value === undefined) {
    return 'nothing';
  }
  if (typeof value === 'bigint' || typeof value === 'symbol' || typeof value === 'function') {
    return typeof value;
  }
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A problem of `yaml` at `place`, with its line. */
export function problemAt(yaml: SpecYaml, place: YamlPath, message: string, mend?: string): SpecProblem {
  const line = yaml.lineOf(place);
  const shown = showPath(place);
  return {
    file: yaml.file,
    ...(line === undefined ? {} : { line }),
    ...(shown === '' ? {} : { path: shown }),
    message,
    ...(mend === undefined ? {} : { mend }),
  };
}

/** ['tests', 0, 'steps'] reads "tests[0].steps". */
function showPath(place: YamlPath): string {
  return place
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '');
}
