import { describe, expect, it } from 'vitest';
import { MATCHER_NAMES } from '../../../src/domain/api-suite-matcher.ts';
import type { JsonValue } from '../../../src/domain/json-value.ts';
import { diffJson, diffText } from '../diff.ts';
import { selectPath } from '../json-path.ts';
import { findMismatches, mismatchSentence } from '../match.ts';
import { SuiteFault } from '../failures.ts';

function complaints(expected: JsonValue, actual: unknown): string[] {
  return findMismatches(expected, actual).map(mismatchSentence);
}

const NOW = new Date().toISOString();
const OLD = '2001-01-01T00:00:00Z';

/** For every matcher: what it is, values that it holds for, values that it must not hold for. */
const TABLE: [expected: JsonValue, holds: unknown[], fails: unknown[]][] = [
  [{ $any: true }, [null, 0, '', {}], [undefined]],
  [{ $absent: true }, [undefined], [null, 0, '']],
  [{ $type: 'string' }, ['', 'a'], [1, null, undefined, ['a']]],
  [{ $type: 'integer' }, [1, -2, 1e3], [1.5, '1', Number.POSITIVE_INFINITY]],
  [{ $type: 'object' }, [{}], [null, [], 'a']],
  [{ $type: ['array', 'null'] }, [[], null], [{}, undefined, 0]],
  [{ $matches: '^a.c$' }, ['abc'], ['abcd', 5, null, undefined, 'x'.repeat(70_000)]],
  [{ $partial: { a: { b: 1 } } }, [{ a: { b: 1, c: 2 }, d: 3 }], [{ a: { c: 2 } }, {}, undefined, [1]]],
  [{ $partial: { l: [{ a: 1 }] } }, [{ l: [{ a: 1, b: 2 }] }], [{ l: [] }, { l: [{ a: 1 }, { a: 1 }] }]],
  [{ $contains: 'b' }, ['abc', ['a', 'b']], ['ac', ['a'], 5, undefined, { b: 1 }]],
  [{ $contains: ['a', { $partial: { id: 1 } }] }, [['a', { id: 1, x: 2 }]], [['a'], [{ id: 1 }]]],
  [{ $length: 2 }, ['ab', '😀😀', [1, 2], { a: 1, b: 2 }], ['a', [], 2, null, undefined]],
  [{ $length: { $gte: 1, $lt: 3 } }, ['a', [1, 2]], ['', [1, 2, 3]]],
  [
    { $unique: true },
    [[1, 2, '1'], []],
    [
      [1, 1],
      [
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ],
      'abc',
      undefined,
    ],
  ],
  [{ $sorted: 'asc' }, [[1, 2, 2], ['a', 'b'], []], [[2, 1], [1, 'a'], 'ab', undefined]],
  [
    { $sorted: { by: 'n', order: 'desc' } },
    [[{ n: 2 }, { n: 1 }]],
    [
      [{ n: 1 }, { n: 2 }],
      [{ n: 1 }, {}],
    ],
  ],
  [{ $all: { $type: 'integer' } }, [[1, 2], []], [[1, 'a'], 1, undefined]],
  [{ $oneOf: [1, { $type: 'string' }] }, [1, 'a'], [2, null, undefined]],
  [{ $oneOf: [{ $absent: true }, null] }, [undefined, null], [0]],
  [{ $not: { $oneOf: [1, 2] } }, [3, undefined], [1, 2]],
  [{ $range: [1, 5] }, [1, 3, 5], [0, 6, '3', undefined]],
  [{ $gt: 1, $lte: 3 }, [2, 3], [1, 4, '2', null]],
  [{ $gte: '2020' }, ['2020', '2021-01'], ['2019', 2021]],
  [{ $lt: 3 }, [2], [3, undefined]],
  [{ $date: 'iso' }, [NOW, '2024-02-03T04:05:06+02:00'], ['2024-02-03', '2024-13-03T04:05:06Z', 'now', 5]],
  [{ $date: 'http' }, ['Sun, 06 Nov 1994 08:49:37 GMT'], [NOW, 'Sunday']],
  [{ $date: { within: '1m' } }, [NOW], [OLD, 'x']],
  [{ $schema: { type: 'object', required: ['a'] } }, [{ a: 1 }], [{}, [], undefined]],
  [
    { $literal: { $ref: '#/a', b: { $any: true } } },
    [{ b: { $any: true }, $ref: '#/a' }],
    [{ $ref: '#/a' }, { b: 1, $ref: '#/a' }],
  ],
];

describe('matchers', () => {
  it.each(TABLE)('%j holds and fails as it says', (expected, holds, fails) => {
    for (const value of holds) {
      expect(complaints(expected, value), JSON.stringify(value)).toEqual([]);
    }
    for (const value of fails) {
      expect(complaints(expected, value), JSON.stringify(value)).not.toEqual([]);
    }
  });

  it('are all in the table', () => {
    const tested = new Set(TABLE.flatMap(([expected]) => Object.keys(expected as object)));
    expect(MATCHER_NAMES.filter((name) => !tested.has(name))).toEqual([]);
  });
});

describe('findMismatches', () => {
  it.each<[JsonValue, unknown, string[]]>([
    [{ a: 1 }, { a: 1 }, []],
    [{ a: 1, b: [1, { c: null }] }, { b: [1, { c: null }], a: 1 }, []],
    [{ a: 1 }, { a: 2 }, ['expected $.a to be 1, got 2']],
    [{ a: 1 }, {}, ['expected $.a to be 1, but it is missing']],
    [{ a: 1 }, { a: 1, 'b c': 2 }, ['unexpected key "b c" at $, with the value 2']],
    [[1, 2], [1], ['expected $ to have 2 elements, got 1']],
    [{ a: [{ b: 'x' }] }, { a: [{ b: 'y' }] }, ['expected $.a[0].b to be "x", got "y"']],
    [{ 'x-y': 1 }, { 'x-y': 2 }, ['expected $["x-y"] to be 1, got 2']],
    [{ a: null }, { a: undefined }, ['expected $.a to be null, but it is missing']],
    [{ a: {} }, { a: [] }, ['expected $.a to be {}, got []']],
    [1, '1', ['expected $ to be 1, got "1"']],
    [{ $matches: '^a' }, 'b', ['expected $ to match /^a/, got "b"']],
    [{ $length: 3 }, 'ab', ['$: expected a length of 3, got 2']],
    [
      { $unique: true },
      ['a', 'a', 'b'],
      ['$: expected 3 different values, but 1 of them came before, such as "a"'],
    ],
  ])('compares %j with %j', (expected, actual, sentences) => {
    expect(complaints(expected, actual)).toEqual(sentences);
  });

  it('takes __proto__ and constructor for keys like any other', () => {
    const actual: unknown = JSON.parse('{"__proto__":{"a":1},"constructor":2}');
    expect(complaints({ $partial: { a: 1 } }, actual)).toHaveLength(1);
    expect(complaints(JSON.parse('{"__proto__":{"a":1},"constructor":2}') as JsonValue, actual)).toEqual([]);
    expect(complaints({}, actual)).toHaveLength(2);
  });

  it('stops at more differences than anyone reads', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, n) => [`k${n}`, n]));
    expect(complaints(many, {})).toHaveLength(20);
  });

  it('blames the suite for a schema or a path that is none', () => {
    expect(() => findMismatches({ $schema: { type: 'strng' } }, 1)).toThrow(SuiteFault);
    expect(() => findMismatches({ $schema: { format: 'no-such-format' } }, '')).toThrow(SuiteFault);
    expect(() => selectPath('$.a[', {})).toThrow(SuiteFault);
  });
});

describe('selectPath', () => {
  it('yields one value for a path to one place, else a list', () => {
    const document = { items: [{ id: 1 }, { id: 2 }], none: null };
    expect(selectPath('$.items[1].id', document)).toBe(2);
    expect(selectPath('$.none', document)).toBeNull();
    expect(selectPath('$.nope', document)).toBeUndefined();
    expect(selectPath('$.items[*].id', document)).toEqual([1, 2]);
    expect(selectPath('$.items[?@.id > 1]', document)).toEqual([{ id: 2 }]);
    expect(
      selectPath(
        '$..id',
        Array.from({ length: 5000 }, (_, id) => ({ id })),
      ),
    ).toHaveLength(5000);
  });
});

describe('diffJson', () => {
  it('shows only what is wrong, with matchers that hold as what came', () => {
    const expected = { code: { $matches: '^[a-z]+$' }, url: 'https://a', visits: { $type: 'integer' } };
    const actual = { code: 'abc', url: 'https://b', visits: 'three', extra: true };
    expect(diffJson(expected, actual)).toEqual([
      '  {',
      '    "code": "abc",',
      '-   "url": "https://a",',
      '-   "visits": <should be of type integer>',
      '+   "url": "https://b",',
      '+   "visits": "three",',
      '+   "extra": true',
      '  }',
    ]);
  });

  it('shows missing keys, and says nothing of keys that $partial allows', () => {
    expect(diffJson({ $partial: { a: 1, b: 2 } }, { a: 1, c: 3 })).toEqual([
      '  {',
      '    "a": 1,',
      '-   "c": 3,',
      '-   "b": 2',
      '+   "c": 3',
      '  }',
    ]);
    expect(diffJson({ $partial: { a: 1 } }, { a: 1, c: 3 })).toEqual([]);
  });

  it('stays small and quick for large documents', () => {
    const actual = Array.from({ length: 20_000 }, (_, n) => ({ n, text: 'x'.repeat(1000) }));
    const begin = performance.now();
    const lines = diffJson([], actual);
    expect(performance.now() - begin).toBeLessThan(2000);
    expect(lines.length).toBeLessThanOrEqual(81);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(210);
  });

  it('leaves lines out between changes that are far apart', () => {
    const [a, b] = [0, 1].map((x) => [x, ...Array.from({ length: 30 }, () => 'same'), x]);
    const lines = diffJson(a as JsonValue, b);
    expect(lines.filter((line) => line === '  …')).toHaveLength(1);
    expect(lines.filter((line) => line.startsWith('-'))).toHaveLength(2);
  });

  it('compares texts line by line', () => {
    expect(diffText('a\nb', 'a\nc')).toEqual(['  a', '- b', '+ c']);
  });
});
