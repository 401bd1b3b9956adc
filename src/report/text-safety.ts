/**
 * Text that a candidate can influence, made fit for a reader's browser and terminal. Characters that steer
 * instead of showing (escape sequences, bidi overrides, zero-width) become visible marks, so nothing hides.
 */

// Format characters (bidi, zero-width, soft hyphen, BOM, tags), everything else that fonts leave out by default
// (fillers, selectors that can carry hidden bytes), and separators that break lines unseen. U+FE0F alone is let
// be: it only makes an emoji of the character before it.
const INVISIBLE = /(?!\ufe0f)[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;
const C1 = /[\u0080-\u009f]/g;
// oxlint-disable-next-line no-control-regex -- finding control characters is the point
const C0 = /[\u0000-\u001f\u007f]/g;
const LONE_SURROGATE = /\p{Cs}/gu;
const STACKED_MARKS = /(\p{M}{4})\p{M}+/gu;
const WORD = /[\p{L}\p{M}\p{N}_]+/gu;
// oxlint-disable-next-line no-control-regex -- all of ASCII is meant
const ASCII = /^[\u0000-\u007f]*$/;
const LATIN = /\p{Script=Latin}/u;
const LOOKALIKE = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Armenian}\p{Script=Cherokee}]/gu;

/** One line: a line break shows as ↵, a tab as ⇥. */
export function visibleLine(text: string): string {
  return visible(text.replace(/\r\n/g, '\n')).replace(C0, controlMark);
}

/** Several lines: line feeds and tabs stay, CRLF becomes a line feed, a lone CR shows as ⟨CR⟩. */
export function visibleBlock(text: string): string {
  return visible(text.replace(/\r\n/g, '\n')).replace(C0, (char) =>
    char === '\n' || char === '\t' ? char : controlMark(char),
  );
}

/** Text that any store takes: NUL and halves of surrogate pairs become U+FFFD. Else unchanged. */
function storableText(text: string): string {
  return text.replaceAll('\0', '\ufffd').replace(LONE_SURROGATE, '\ufffd');
}

/** A deep copy of plain data with every string and key made storable. */
export function storable<T>(value: T): T;
export function storable(value: unknown): unknown {
  if (typeof value === 'string') {
    return storableText(value);
  }
  if (Array.isArray(value)) {
    return value.map((item: unknown) => storable(item));
  }
  if (value !== null && typeof value === 'object') {
    // fromEntries defines own properties, so a key "__proto__" stays data.
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [storableText(key), storable<unknown>(item)]),
    );
  }
  return value;
}

/** The first `max` characters (code points), with an ellipsis when more were there. */
export function excerpt(text: string, max: number): string {
  const characters = Array.from(text.slice(0, max * 2 + 2));
  return characters.length > max ? `${characters.slice(0, max - 1).join('')}…` : text;
}

/** Head and tail of a text within `maxChars`, with a line between that says how much was left out. */
export function capText(text: string, maxChars: number): { text: string; cut: boolean } {
  if (text.length <= maxChars) {
    return { text, cut: false };
  }
  const head = storableText(text.slice(0, Math.floor(maxChars / 3)));
  const tail = storableText(text.slice(text.length - Math.ceil((maxChars * 2) / 3)));
  const left = text.length - maxChars;
  return { text: `${head}\n… truncated: ${left} characters left out …\n${tail}`, cut: true };
}

function visible(text: string): string {
  // Most of a report by far, and none of what follows is about it.
  if (ASCII.test(text)) {
    return text;
  }
  return text
    .replace(LONE_SURROGATE, '\ufffd')
    .replace(C1, codePointMark)
    .replace(INVISIBLE, codePointMark)
    .replace(STACKED_MARKS, '$1⟨marks⟩')
    .replace(WORD, markLookalikes);
}

/** A letter of another script inside a Latin word is shown by its number: "pаypal" becomes "p⟨U+0430⟩ypal". */
function markLookalikes(word: string): string {
  return !ASCII.test(word) && LATIN.test(word) ? word.replace(LOOKALIKE, codePointMark) : word;
}

// Names instead of Unicode's control pictures, which many fonts lack.
const C0_NAMES =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS ⇥ ↵ VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

function controlMark(char: string): string {
  const name = C0_NAMES[char.charCodeAt(0)] ?? 'DEL';
  return name.length === 1 ? name : `⟨${name}⟩`;
}

function codePointMark(char: string): string {
  const hex = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `⟨U+${hex}⟩`;
}
