import type { MemoryStep, Step, WhileStep } from '../../src/domain/api-suite-step.ts';
import { appendedNames } from '../../src/domain/api-suite-references.ts';
import { makePrng } from '../shared/prng.ts';
import { actsOnService, anyStep } from './any-step.ts';
import { CheckBudget } from './check-budget.ts';
import type { CheckContext, StepPlace } from './check-context.ts';
import { CheckFailure, SuiteFault } from './failures.ts';
import { innerScope } from './template.ts';
import { Trail } from './trail.ts';

/** `runSteps`, handed in: steps contain these, and these contain steps. */
type RunSteps = (
  steps: readonly Step[],
  list: string,
  place: Omit<StepPlace, 'at'>,
  context: CheckContext,
) => Promise<void>;

/** What a request may come to that meets the end of the service: no acknowledgement, so nothing is promised. */
const UNANSWERED = /^(?:CONN_\w+|TIMEOUT|BAD_HTTP|503)$/;
/** Memory is read again so often when it seems to have grown: what is let go may not be collected yet. */
const READINGS = 4;
const READING_PAUSE_MS = 500;

/**
 * Runs the steps of `while` once, and meanwhile keeps `workers` doing those of `keep`. Where the steps act on the
 * service, a worker whose request is not answered stops; otherwise that fails the check.
 */
export async function runWhile(
  step: WhileStep,
  place: StepPlace,
  context: CheckContext,
  runSteps: RunSteps,
): Promise<void> {
  const acts = anyStep(step.while, actsOnService);
  const budget = new CheckBudget(context.budget.limitMs);
  const state: { over: boolean; turns: number; unanswered?: CheckFailure } = { over: false, turns: 0 };
  const workers = Array.from(
    { length: step.workers },
    async (_, worker): Promise<CheckFailure | undefined> => {
      for (let turn = 0; !state.over && !context.budget.signal.aborted; turn += 1) {
        const seed = `${context.seed}/${place.at}/${worker}/${turn}`;
        const scope = innerScope(place.scope, makePrng(seed), worker + turn * step.workers);
        const trail = new Trail();
        const inner = { ...context, budget, seed, width: context.width * step.workers };
        try {
          await runSteps(step.keep, 'keep', { scope, trail }, inner);
          state.turns += 1;
        } catch (error) {
          if (state.over) {
            return undefined;
          }
          if (acts && error instanceof CheckFailure && UNANSWERED.test(error.detail.actual ?? '')) {
            state.unanswered ??= error;
            return undefined;
          }
          if (!(error instanceof CheckFailure)) {
            throw error;
          }
          place.trail.adopt(trail);
          return error;
        }
      }
      return undefined;
    },
  );
  const working = Promise.all(workers);
  working.catch(() => undefined);
  try {
    await runSteps(step.while, 'while', place, context);
  } finally {
    state.over = true;
    budget.expire();
  }
  const [failure] = (await working).filter((one) => one !== undefined);
  if (failure) {
    throw failure;
  }
  // What is kept for later would be empty, and whatever is asked of it would hold.
  if (state.turns === 0 && state.unanswered && appendedNames(step.keep).length > 0) {
    throw state.unanswered;
  }
}

/** Runs the steps of `over` and compares the service's memory before and after. */
export async function runMemory(
  step: MemoryStep,
  place: StepPlace,
  context: CheckContext,
  runSteps: RunSteps,
): Promise<void> {
  const before = await read(context);
  await runSteps(step.over, 'over', place, context);
  const limit = before + step.memory.growsAtMost;
  let after = await read(context);
  for (let reading = 1; reading < READINGS && after > limit; reading += 1) {
    await context.budget.sleep(READING_PAUSE_MS);
    after = Math.min(after, await read(context));
  }
  if (after > limit) {
    const message = `the memory of the service grew by ${mebibytes(after - before)}, expected at most ${mebibytes(step.memory.growsAtMost)}`;
    throw new CheckFailure(message, {
      at: 'memory.growsAtMost',
      expected: `at most ${mebibytes(limit)}`,
      actual: `${mebibytes(before)} before, ${mebibytes(after)} after`,
    });
  }
}

async function read(context: CheckContext): Promise<number> {
  const bytes = await context.budget.suspend(() => context.service.memoryBytes());
  if (bytes === undefined) {
    throw new SuiteFault('the memory of the service could not be read');
  }
  return bytes;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
