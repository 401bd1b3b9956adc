import { isNativeError } from 'node:util/types';
import vm from 'node:vm';

const context = vm.createContext({ work: undefined as (() => unknown) | undefined });
const script = new vm.Script('work()');

/** Each try may take twice as long by the clock as the one before. */
const TRIES = 4;
/** Of the limit: work that had so much CPU had its time. Less would be late only where the machine is busy. */
const OWN_SHARE = 0.95;

/**
 * Runs synchronous work and ends it after `limitMs`, wherever it is (a regular expression, a schema, a path
 * over hostile data). Answers `{ late: true }` then. The time is meant for the work: where other processes had the CPU,
 * it is begun anew with more, and what then does not end is an error, since it is ours. Errors pass through. The work
 * must leave no state behind.
 */
export function runWithin<T>(work: () => T, limitMs: number): { late: false; value: T } | { late: true } {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const began = process.cpuUsage();
    const ended = runOnce(work, limitMs * 2 ** tries);
    if (!ended.late) {
      return ended;
    }
    const { user, system } = process.cpuUsage(began);
    if ((user + system) / 1000 >= limitMs * OWN_SHARE) {
      return ended;
    }
  }
  throw new Error(`the machine was too busy to compare an answer, ${TRIES} times`);
}

function runOnce<T>(work: () => T, limitMs: number): { late: false; value: T } | { late: true } {
  const outer = context['work'] as unknown;
  context['work'] = work;
  try {
    return { late: false, value: script.runInContext(context, { timeout: limitMs }) as T };
  } catch (error) {
    // The error belongs to the other context, so it is no instance of this one's Error.
    if (isNativeError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') {
      return { late: true };
    }
    throw error;
  } finally {
    context['work'] = outer;
  }
}
