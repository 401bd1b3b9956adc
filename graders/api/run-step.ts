import type { AssertStep, GroupStep, ServiceStep, SleepStep, Step } from '../../src/domain/api-suite-step.ts';
import { parseTemplate } from '../../src/domain/api-suite-template.ts';
import type { JsonValue } from '../../src/domain/json-value.ts';
import { makePrng } from '../shared/prng.ts';
import type { CheckContext, StepPlace } from './check-context.ts';
import { diffJson } from './diff.ts';
import { CheckFailure, SuiteFault } from './failures.ts';
import { findMismatches, mismatchSentence } from './match.ts';
import { renderValue } from './render-value.ts';
import { runRaw } from './run-raw.ts';
import { runRequest } from './run-request.ts';
import { runMemory, runWhile } from './run-while.ts';
import { expandExpected, expandTyped, innerScope, missing } from './template.ts';
import { Trail } from './trail.ts';

/** Elements of a list that are worked on at the same time. */
const EACH_AT_ONCE = 20;

/** Runs steps one after another. Throws a `CheckFailure` that names the place of the step that failed. */
export async function runSteps(
  steps: readonly Step[],
  list: string,
  place: Omit<StepPlace, 'at'>,
  context: CheckContext,
): Promise<void> {
  for (const [index, step] of steps.entries()) {
    const at = `${list}[${index}]`;
    try {
      context.budget.enforce();
      await runStep(step, { ...place, at }, context);
    } catch (error) {
      throw error instanceof CheckFailure ? error.within(at) : error;
    }
  }
}

async function runStep(step: Step, place: StepPlace, context: CheckContext): Promise<void> {
  if ('request' in step) {
    await runRequest(step, place, context);
  } else if ('assert' in step) {
    runAssert(step, place);
  } else if ('service' in step) {
    await runService(step, context);
  } else if ('sleep' in step) {
    await runSleep(step, context);
  } else if ('raw' in step) {
    await runRaw(step, place, context);
  } else if ('while' in step) {
    await runWhile(step, place, context, runSteps);
  } else if ('over' in step) {
    await runMemory(step, place, context, runSteps);
  } else {
    await runGroup(step, place, context);
  }
}

function runAssert(step: AssertStep, { scope }: StepPlace): void {
  for (const [expression, raw] of Object.entries(step.assert)) {
    const expected = expandExpected(raw, scope);
    const actual = expandTyped(expression, scope);
    const [first] = findMismatches(expected, actual, expression);
    if (first) {
      throw new CheckFailure(mismatchSentence(first), {
        at: `assert["${expression}"]`,
        expected: renderValue(expected, 1000),
        actual: renderValue(actual, 1000),
        diff: diffJson(expected, actual),
      });
    }
  }
}

async function runService(step: ServiceStep, context: CheckContext): Promise<void> {
  const { service, grace, orderly, readyWithin } = step;
  await context.budget.suspend(() => context.service.act(service, { grace, orderly, readyWithin }));
}

async function runSleep(step: SleepStep, context: CheckContext): Promise<void> {
  if (step.sleep >= context.budget.limitMs) {
    throw new SuiteFault(
      `a sleep of ${step.sleep} ms does not fit into the check's ${context.budget.limitMs} ms`,
    );
  }
  await context.budget.sleep(step.sleep);
}

async function runGroup(group: GroupStep, place: StepPlace, context: CheckContext): Promise<void> {
  const items = group.each === undefined ? undefined : itemsOf(group.each, place);
  const count = items?.length ?? group.parallel ?? group.repeat ?? 1;
  async function turn(index: number): Promise<CheckFailure | undefined> {
    const trail = new Trail();
    const scope = innerScope(place.scope, makePrng(`${context.seed}/${place.at}/${index}`), index);
    // Turns differ in their place, so that equal steps inside draw different values.
    const width = context.width * (items ? EACH_AT_ONCE : (group.parallel ?? 1));
    if (items) {
      scope.variables.set('item', items[index] ?? null);
    }
    const inner = { ...context, width, seed: `${context.seed}/${place.at}/${index}` };
    try {
      await runSteps(group.steps, 'steps', { scope, trail }, inner);
      return undefined;
    } catch (error) {
      if (!(error instanceof CheckFailure)) {
        throw error;
      }
      place.trail.adopt(trail);
      return error;
    }
  }
  if (group.repeat !== undefined) {
    for (let index = 0; index < count; index += 1) {
      const failure = await turn(index);
      if (failure) {
        throw new CheckFailure(
          `turn ${index + 1} of ${count}: ${failure.message}`,
          failure.detail,
          failure.late,
        );
      }
    }
    return;
  }
  const atOnce = items ? EACH_AT_ONCE : count;
  const failures: CheckFailure[] = [];
  for (let from = 0; from < count; from += atOnce) {
    const indexes = Array.from({ length: Math.min(atOnce, count - from) }, (_, index) => from + index);
    failures.push(...(await Promise.all(indexes.map(turn))).filter((one) => one !== undefined));
  }
  const [first] = failures;
  if (first) {
    const what = items ? 'elements' : 'parallel workers';
    throw new CheckFailure(
      `${failures.length} of ${count} ${what} failed; the first: ${first.message}`,
      first.detail,
      failures.every(({ late }) => late),
    );
  }
}

function itemsOf(each: string, place: StepPlace): JsonValue[] {
  const list = expandTyped(each, place.scope);
  if (!Array.isArray(list)) {
    const [only] = parseTemplate(each);
    const name =
      only?.kind === 'expression' && only.expression?.kind === 'variable' ? only.expression.name : '';
    throw missing(name, `"${each}" is no list`, place.scope);
  }
  return list;
}
