import fc from 'fast-check';
import type { FlatSchema } from './schema-set.ts';

/** Long enough to matter, short enough to read. */
const USUAL_LENGTH = 40;
/** A longest text is tried where it is not longer than this. */
const MAX_LONGEST = 5000;
const MAX_MISSES = 200;
/** Control characters and lone surrogates: valid by most schemas, refused by sound services all the same. */
const UNFRIENDLY = /[\p{Cc}\p{Cs}\p{Co}\p{Cn}]/u;

const DAY = fc
  .tuple(
    fc.integer({ min: 1970, max: 2099 }),
    fc.integer({ min: 1, max: 12 }),
    fc.integer({ min: 1, max: 28 }),
  )
  .map(([year, month, day]) => `${year}-${two(month)}-${two(day)}`);
const TIME = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute, second]) => `${two(hour)}:${two(minute)}:${two(second)}`);

const BY_FORMAT: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.tuple(DAY, TIME).map(([day, time]) => `${day}T${time}Z`),
  date: DAY,
  time: TIME.map((time) => `${time}Z`),
  email: fc.stringMatching(/^[a-z][a-z0-9]{1,10}@[a-z]{2,10}\.example$/),
  uuid: fc.uuid(),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
  uri: fc.stringMatching(/^https:\/\/[a-z]{1,10}\.example(?:\/[a-z0-9]{0,10}){0,3}$/),
  hostname: fc.stringMatching(/^[a-z]{1,10}\.example$/),
  byte: fc.stringMatching(/^(?:[A-Za-z0-9+/]{4}){0,5}$/),
};

/** Formats whose values can be told from wrong ones by everybody. */
export const STRICT_FORMATS: ReadonlySet<unknown> = new Set([
  'date-time',
  'date',
  'email',
  'uuid',
  'ipv4',
  'ipv6',
]);

/** Texts for a schema of type string. `x-assay-pattern` narrows what is made up, where `pattern` allows more. */
export function textsOf(flat: FlatSchema): fc.Arbitrary<string> {
  const minLength = typeof flat['minLength'] === 'number' ? flat['minLength'] : 0;
  const maxLength = typeof flat['maxLength'] === 'number' ? flat['maxLength'] : Number.POSITIVE_INFINITY;
  const pattern = [flat['x-assay-pattern'], flat['pattern']].find((one) => typeof one === 'string');
  const made = pattern === undefined ? undefined : matching(pattern);
  if (made) {
    return mostly(made, (text) => isFriendly(text) && text.length >= minLength && text.length <= maxLength);
  }
  const format = typeof flat['format'] === 'string' ? BY_FORMAT[flat['format']] : undefined;
  if (format && pattern === undefined) {
    return format;
  }
  const most = Math.max(minLength, Math.min(maxLength, minLength + USUAL_LENGTH));
  const ascii = fc.string({ minLength, maxLength: most, unit: 'grapheme-ascii' });
  const graphemes = fc.string({ minLength, maxLength: most, unit: 'grapheme' });
  const any = mostly(graphemes, (text) => isFriendly(text) && text.length <= maxLength);
  const longest =
    maxLength <= MAX_LONGEST ? [{ arbitrary: fc.constant('a'.repeat(maxLength)), weight: 1 }] : [];
  return fc.oneof({ arbitrary: ascii, weight: 5 }, { arbitrary: any, weight: 2 }, ...longest);
}

/** As `filter`, but never without end: what nothing satisfies lets a value through now and then. */
function mostly(texts: fc.Arbitrary<string>, holds: (text: string) => boolean): fc.Arbitrary<string> {
  let misses = 0;
  return texts.filter((text) => {
    misses = holds(text) ? 0 : misses + 1;
    return misses % MAX_MISSES === 0;
  });
}

function isFriendly(text: string): boolean {
  return !UNFRIENDLY.test(text);
}

const byPattern = new Map<string, fc.Arbitrary<string> | undefined>();

/** Undefined for patterns that texts cannot be made from, such as those with look-behind. Slow, so kept. */
export function matching(pattern: string): fc.Arbitrary<string> | undefined {
  if (!byPattern.has(pattern)) {
    byPattern.set(pattern, makeMatching(pattern));
  }
  return byPattern.get(pattern);
}

function makeMatching(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern, 'u'));
  } catch {
    return undefined;
  }
}

function two(n: number): string {
  return String(n).padStart(2, '0');
}
