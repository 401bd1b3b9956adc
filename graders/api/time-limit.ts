import { isNativeError } from 'node:util/types';
import vm from 'node:vm';

const context = vm.createContext({ work: undefined as (() => unknown) | undefined });
const script = new vm.Script('work()');

/**
 * Runs synchronous work and ends it after `limitMs`, wherever it is (a regular expression, a schema, a path
 * over hostile data). Answers `{ late: true }` then. Errors pass through. The work must leave no state behind.
 */
export function runWithin<T>(work: () => T, limitMs: number): { late: false; value: T } | { late: true } {
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
