import { describe, expect, it } from 'vitest';
import { capText, excerpt, storable, visibleBlock, visibleLine } from '../../../src/report/text-safety.ts';

describe('visibleLine', () => {
  it.each([
    ['escape sequences', '\u001b[31mred\u001b]0;title\u0007', '⟨ESC⟩[31mred⟨ESC⟩]0;title⟨BEL⟩'],
    ['8-bit CSI', '\u009b31m', '⟨U+009B⟩31m'],
    ['backspace and carriage return', 'a\b\rb', 'a⟨BS⟩⟨CR⟩b'],
    ['line breaks and tabs', 'a\r\nb\tc', 'a↵b⇥c'],
    ['NUL and DEL', '\0\u007f', '⟨NUL⟩⟨DEL⟩'],
    ['bidi controls', 'abc\u202etxt.exe\u2069', 'abc⟨U+202E⟩txt.exe⟨U+2069⟩'],
    ['zero-width and soft hyphen', 'a\u200bb\u00adc\ufeff', 'a⟨U+200B⟩b⟨U+00AD⟩c⟨U+FEFF⟩'],
    ['separators', '\u2028\u2029', '⟨U+2028⟩⟨U+2029⟩'],
    ['tag characters', '\u{e0041}', '⟨U+E0041⟩'],
    ['half a surrogate pair', 'a\ud800b', 'a\ufffdb'],
    ['a Cyrillic letter in a Latin word', 'p\u0430ypal', 'p⟨U+0430⟩ypal'],
    ['piled-up marks', `e${'\u0301'.repeat(40)}`, `e${'\u0301'.repeat(4)}⟨marks⟩`],
  ])('shows %s', (_, text, shown) => {
    expect(visibleLine(text)).toBe(shown);
  });

  it.each(['plain', 'Zürich, naïve, 東京, Привет, שלום', '😀 emoji', 'µs → ✓'])(
    'leaves "%s" as it is',
    (text) => {
      expect(visibleLine(text)).toBe(text);
    },
  );

  it('leaves no character that steers, whatever comes in', () => {
    const all = Array.from({ length: 0x11000 }, (_, code) => String.fromCodePoint(code));
    const left = Array.from(visibleLine(all.join(' '))).filter((char) => steers(char));

    expect(left).toEqual([]);
  });
});

function steers(char: string): boolean {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(char);
}

it('visibleBlock keeps line feeds and tabs, and shows a lone carriage return', () => {
  expect(visibleBlock('a\r\nb\tc\rd\u001b')).toBe('a\nb\tc⟨CR⟩d⟨ESC⟩');
});

it('storable cleans strings at any depth, keys included, and keeps "__proto__" as data', () => {
  const value = JSON.parse('{"a":["x\\u0000"],"k\\u0000":1,"__proto__":{"b":"\\ud800"}}') as object;

  expect(JSON.stringify(storable(value))).toBe('{"a":["x\ufffd"],"k\ufffd":1,"__proto__":{"b":"\ufffd"}}');
});

it('excerpt counts characters, not halves of them', () => {
  expect(excerpt('😀😀😀😀', 3)).toBe('😀😀…');
  expect(excerpt('abc', 3)).toBe('abc');
});

it('capText keeps head and tail and says how much is gone', () => {
  const { text, cut } = capText(`${'a'.repeat(50)}${'b'.repeat(100)}`, 90);

  expect(cut).toBe(true);
  expect(text).toBe(`${'a'.repeat(30)}\n… truncated: 60 characters left out …\n${'b'.repeat(60)}`);
  expect(capText('short', 90)).toEqual({ text: 'short', cut: false });
});
