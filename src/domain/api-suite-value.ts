import { z } from 'zod';
import { isJsonObject } from './json-value.ts';
import type { JsonValue } from './json-value.ts';

/** Longest text that `$repeat` may make, bytes. */
const MAX_REPEATED_BYTES = 16 * 1024 * 1024;

/** `{ $repeat: { text, times } }` in data that is sent: stands for a long text. */
export interface RepeatedText {
  text: string;
  times: number;
}

/** The argument of a value's `$repeat`, or undefined for any other value. */
export function repeatedText(value: unknown): RepeatedText | undefined {
  const argument = isJsonObject(value) && Object.keys(value).length === 1 ? value['$repeat'] : undefined;
  if (!isJsonObject(argument) || Object.keys(argument).length !== 2) {
    return undefined;
  }
  const { text, times } = argument;
  const usable =
    typeof text === 'string' && typeof times === 'number' && Number.isInteger(times) && times >= 0;
  return usable && Buffer.byteLength(text) * times <= MAX_REPEATED_BYTES ? { text, times } : undefined;
}

/** Data that a suite sends or keeps in a variable: JSON, with templates in its texts and `$repeat`. */
export const SuiteValueSchema = z
  .custom<JsonValue>((value) => value !== undefined, 'expected a JSON value')
  .superRefine((value, ctx) => {
    checkRepeats(value, [], (path) => {
      ctx.addIssue({
        code: 'custom',
        path,
        message: `expected { $repeat: { text: <text>, times: <count> } } of at most ${MAX_REPEATED_BYTES} bytes`,
      });
    });
  });

function checkRepeats(value: unknown, path: PropertyKey[], report: (path: PropertyKey[]) => void): void {
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      checkRepeats(item, [...path, index], report);
    }
  } else if (isJsonObject(value)) {
    if (Object.hasOwn(value, '$repeat')) {
      if (!repeatedText(value)) {
        report([...path, '$repeat']);
      }
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      checkRepeats(item, [...path, key], report);
    }
  }
}
