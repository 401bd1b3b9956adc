import { parseTemplate } from './api-suite-template.ts';
import type { Step } from './api-suite-step.ts';
import { isJsonObject } from './json-value.ts';

type Path = readonly PropertyKey[];
type Report = (path: Path, message: string) => void;

interface SuiteParts {
  vars: Readonly<Record<string, unknown>>;
  setup: readonly Step[];
  teardown: readonly Step[];
  tests: readonly { skipWhen?: unknown; steps?: readonly Step[] | undefined }[];
}

/** Names that a template may use at some point of a suite. */
interface Scope {
  names: Set<string>;
  /** Inside `parallel` or `repeat`. */
  indexed: boolean;
}

/** Keys of a step that hold no templates: JSON Schemas and data meant literally. */
const VERBATIM_KEYS = new Set(['schema', '$schema', '$literal']);

/** Reports every `${…}` that makes no sense, or names what was not declared or captured before. */
export function checkReferences(suite: SuiteParts, report: Report): void {
  const shared: Scope = { names: new Set(['target']), indexed: false };
  for (const [name, value] of Object.entries(suite.vars)) {
    checkTexts(value, ['vars', name], shared, report);
    shared.names.add(name);
  }
  checkSteps(suite.setup, ['setup'], shared, report);
  const everywhere = new Set(shared.names);
  for (const [index, test] of suite.tests.entries()) {
    const scope: Scope = { names: new Set(shared.names), indexed: false };
    checkTexts(test.skipWhen, ['tests', index, 'skipWhen'], scope, report);
    checkSteps(test.steps ?? [], ['tests', index, 'steps'], scope, report);
    for (const name of scope.names) {
      everywhere.add(name);
    }
  }
  checkSteps(suite.teardown, ['teardown'], { names: everywhere, indexed: false }, report);
}

/** All names that a suite declares or captures anywhere. */
export function knownNames(suite: SuiteParts): Set<string> {
  const steps = [...suite.setup, ...suite.tests.flatMap((test) => test.steps ?? []), ...suite.teardown];
  return new Set([...Object.keys(suite.vars), ...steps.flatMap(capturedAnywhere)]);
}

/** The names that a step, or those inside it, captures. */
export function capturedAnywhere(step: Step): string[] {
  const inside = innerSteps(step);
  return inside.length > 0 ? inside.flatMap(capturedAnywhere) : capturedNames(step);
}

function checkSteps(steps: readonly Step[], path: Path, scope: Scope, report: Report): void {
  for (const [index, step] of steps.entries()) {
    checkStep(step, [...path, index], scope, report);
  }
}

function checkStep(step: Step, path: Path, scope: Scope, report: Report): void {
  if ('steps' in step) {
    const inner: Scope = { names: new Set(scope.names), indexed: true };
    if (step.each !== undefined) {
      checkText(step.each, [...path, 'each'], scope, report);
      inner.names.add('item');
    }
    checkSteps(step.steps, [...path, 'steps'], inner, report);
    for (const name of appendedNames(step.steps)) {
      scope.names.add(name);
    }
    return;
  }
  if ('while' in step) {
    checkSteps(step.keep, [...path, 'keep'], { names: new Set(scope.names), indexed: true }, report);
    for (const name of appendedNames(step.keep)) {
      scope.names.add(name);
    }
    return checkSteps(step.while, [...path, 'while'], scope, report);
  }
  if ('over' in step) {
    return checkSteps(step.over, [...path, 'over'], scope, report);
  }
  const many = 'request' in step && (step.parallel !== undefined || step.repeat !== undefined);
  checkTexts(step, path, { names: scope.names, indexed: scope.indexed || many }, report);
  for (const name of capturedNames(step)) {
    scope.names.add(name);
  }
}

function capturedNames(step: Step): string[] {
  return 'request' in step ? Object.keys(step.capture ?? {}).map((name) => name.replace('[]', '')) : [];
}

/** The steps that a step is made of. */
export function innerSteps(step: Step): readonly Step[] {
  if ('steps' in step) {
    return step.steps;
  }
  if ('while' in step) {
    return [...step.keep, ...step.while];
  }
  return 'over' in step ? step.over : [];
}

/** What a group leaves behind: only lists outlive it. */
export function appendedNames(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    const inside = innerSteps(step);
    if (inside.length > 0) {
      return appendedNames(inside);
    }
    const names = 'request' in step ? Object.keys(step.capture ?? {}) : [];
    return names.filter((name) => name.endsWith('[]')).map((name) => name.slice(0, -2));
  });
}

function checkTexts(value: unknown, path: Path, scope: Scope, report: Report): void {
  if (typeof value === 'string') {
    checkText(value, path, scope, report);
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      checkTexts(item, [...path, index], scope, report);
    }
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      checkText(key, [...path, key], scope, report);
      if (!VERBATIM_KEYS.has(key)) {
        checkTexts(item, [...path, key], scope, report);
      }
    }
  }
}

function checkText(text: string, path: Path, scope: Scope, report: Report): void {
  for (const part of parseTemplate(text)) {
    if (part.kind === 'text') {
      continue;
    }
    const { expression, raw } = part;
    if (!expression) {
      report(
        path,
        `"\${${raw}}" is not a template; expected \${name}, \${random.slug|int|word|email|uuid} or \${index}`,
      );
    } else if (expression.kind === 'variable' && expression.name === 'index') {
      if (!scope.indexed) {
        report(path, '"${index}" exists only inside parallel or repeat');
      }
    } else if (expression.kind === 'variable' && !scope.names.has(expression.name)) {
      report(
        path,
        `"\${${raw}}" is neither declared in vars nor captured before; known: ${[...scope.names].join(', ')}`,
      );
    }
  }
}
