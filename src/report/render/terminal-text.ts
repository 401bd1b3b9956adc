import { visibleLine } from '../text-safety.ts';
import type { Sign } from './words.ts';

/** How terminal text is laid out: columns there are, and whether colour may be used. */
export interface TerminalStyle {
  color: boolean;
  width: number;
}

const CODES = {
  good: 32,
  warn: 33,
  bad: 31,
  open: 35,
  quiet: 90,
  bold: 1,
  link: 36,
} as const;
export type Paint = keyof typeof CODES;

/** Colours a text of ours or one that was made safe; without colour it stays as it is. */
export function paint(text: string, how: Paint, { color }: Pick<TerminalStyle, 'color'>): string {
  return color ? `\u001b[${CODES[how]}m${text}\u001b[0m` : text;
}

/** Candidate text for one terminal line: no control character is left in it. */
export function terminalText(text: string): string {
  return visibleLine(text);
}

// East Asian wide characters and emoji take two columns; combining marks take none.
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\u{1f300}-\u{1faff}]/u;
const NO_WIDTH = /\p{M}/u;
// oxlint-disable-next-line no-control-regex -- our own colour codes take no columns
const COLOR_CODE = /\u001b\[\d+m/g;

/** Columns that a text takes; colour codes take none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const char of text.replace(COLOR_CODE, '')) {
    if (!NO_WIDTH.test(char)) {
      columns += WIDE.test(char) ? 2 : 1;
    }
  }
  return columns;
}

/** Cuts an unpainted text to `width` columns, with an ellipsis where something was left out. */
export function fit(text: string, width: number): string {
  if (columnsOf(text) <= width) {
    return text;
  }
  let kept = '';
  let columns = 0;
  for (const char of text) {
    const next = columnsOf(char);
    if (columns + next > width - 1) {
      break;
    }
    kept += char;
    columns += next;
  }
  return `${kept}…`;
}

/** Breaks an unpainted text at blanks into lines of at most `width` columns; longer words are cut apart. */
export function wrap(text: string, width: number): string[] {
  const room = Math.max(10, width);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((one) => pieces(one, room))) {
    const joined = line === '' ? word : `${line} ${word}`;
    if (columnsOf(joined) > room) {
      lines.push(line);
      line = word;
    } else {
      line = joined;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (columnsOf(word) <= width) {
    return [word];
  }
  const found: string[] = [];
  let piece = '';
  for (const char of word) {
    if (columnsOf(piece + char) > width) {
      found.push(piece);
      piece = '';
    }
    piece += char;
  }
  return [...found, piece];
}

/** A bar of `width` columns for a share of 0..1, in eighths of a column. */
export function bar(share: number, width: number): string {
  const eighths = Math.round(Math.min(Math.max(share, 0), 1) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8));
  const part = eighths % 8 === 0 ? '' : ' ▏▎▍▌▋▊▉'.charAt(eighths % 8);
  return (full + part).padEnd(width, '·');
}

/** Rows in aligned columns two blanks apart; columns named in `right` are flush right. Cells may be painted. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell));
    });
  }
  return rows.map((row) =>
    row
      .map((cell, column) => {
        const space = ' '.repeat((widths[column] ?? 0) - columnsOf(cell));
        return right.includes(column) ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}

/** A sign as coloured symbol and word. */
export function signText(sign: Sign, style: Pick<TerminalStyle, 'color'>): string {
  return paint(`${sign.symbol} ${sign.word}`, sign.tone, style);
}
