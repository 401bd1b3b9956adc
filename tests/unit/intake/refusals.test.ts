import { describe, expect, test } from 'vitest';
import { isRefusalCode, quoteName, REFUSALS } from '../../../src/intake/refusals.ts';

describe('refusals', () => {
  test('too much is 413, a wrong type 415, everything else 422', () => {
    const statuses = Object.entries(REFUSALS).filter(([, { httpStatus }]) => httpStatus !== 422);
    expect(Object.fromEntries(statuses.map(([code, { httpStatus }]) => [code, httpStatus]))).toEqual({
      ARCHIVE_TYPE: 415,
      ARCHIVE_TOO_LARGE: 413,
      ARCHIVE_TOO_MANY_FILES: 413,
    });
  });

  test('only the codes of the table are codes', () => {
    expect(isRefusalCode('ARCHIVE_LINK')).toBe(true);
    expect(isRefusalCode('toString')).toBe(false);
  });
});

describe('quoted names', () => {
  test.each([
    ['src/a.js', '"src/a.js"'],
    ['r\u00e9sum\u00e9', '"r\u00e9sum\u00e9"'],
    ['a\u001b[2J\u202e\n', String.raw`"a\u{1b}[2J\u{202e}\u{a}"`],
    [String.raw`a"\b`, String.raw`"a\"\\b"`],
    [Buffer.from([0x61, 0xff, 0x0a]), String.raw`"a\xff\x0a"`],
    [Buffer.from('\u00fc'), '"\u00fc"'],
  ])('%j', (name, quoted) => {
    expect(quoteName(name)).toBe(quoted);
  });

  test('are cut', () => {
    expect(quoteName('x'.repeat(5000))).toHaveLength(123);
  });
});
