import { isObject } from './traffic.ts';

/** What stands at a place is replaced by what `change` answers; `REMOVED` takes it away. */
export const REMOVED = Symbol('removed');

/**
 * A copy of `value` with the change done wherever `at` leads; the same value when it leads nowhere. "*" stands for
 * every element of a list.
 */
export function changeAt(
  value: unknown,
  at: readonly string[],
  change: (value: unknown) => unknown,
): unknown {
  const [step, ...rest] = at;
  if (step === undefined) {
    return change(value);
  }
  if (step === '*') {
    return Array.isArray(value)
      ? value.map((item) => changeAt(item, rest, change)).filter((item) => item !== REMOVED)
      : value;
  }
  if (!isObject(value) || !Object.hasOwn(value, step)) {
    return value;
  }
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [
    key,
    key === step ? changeAt(item, rest, change) : item,
  ]);
  return Object.fromEntries(entries.filter(([, item]) => item !== REMOVED));
}

/** Another value of the same type; of null, a text. */
export function otherValue(value: unknown): unknown {
  if (typeof value === 'number') {
    return value + 1;
  }
  if (typeof value === 'boolean') {
    return !value;
  }
  if (typeof value === 'string') {
    return otherText(value);
  }
  return value === null ? 'changed' : value;
}

/** A time stays a time and a text keeps its alphabet, so that only a look at the value itself can tell. */
function otherText(text: string): string {
  if (/^\d{4}-\d\d-\d\d[Tt]/.test(text) && !Number.isNaN(Date.parse(text))) {
    return new Date(Date.parse(text) + 3_600_000).toISOString();
  }
  return `${text}x`;
}

/** A value of another type that means much the same: the mistake of a careless serialiser. */
export function otherType(value: unknown): unknown {
  if (typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (typeof value === 'string') {
    return /^-?\d{1,15}$/.test(value) ? Number(value) : { value };
  }
  return value === null ? '' : [value];
}
