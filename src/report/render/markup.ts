import { visibleBlock, visibleLine } from '../text-safety.ts';

const MARKUP = Symbol('markup');

/** Markup of ours. Only `html` makes it, so text cannot pass for it, whatever shape a JSON document has. */
export interface Markup {
  readonly [MARKUP]: string;
}

/** What may stand in a template's holes. Text is escaped; null, undefined and false leave nothing. */
export type Fragment = Markup | string | number | null | undefined | false | readonly Fragment[];

/**
 * A template tag for HTML. Strings in holes become visible one-line text and are escaped, for element content and
 * for attribute values between double quotes alike. Never put a hole inside a tag name, `<style>` or a URL.
 */
export function html(parts: TemplateStringsArray, ...holes: Fragment[]): Markup {
  let text = parts[0] ?? '';
  for (const [index, hole] of holes.entries()) {
    text += toMarkup(hole) + (parts[index + 1] ?? '');
  }
  return { [MARKUP]: text };
}

/** Text of several lines for a `<pre>`: line feeds and tabs stay. */
export function block(text: string): Markup {
  // HTML drops one line feed right after <pre>; one of ours in front keeps the text's own.
  return { [MARKUP]: `\n${escapeHtml(visibleBlock(text))}` };
}

/** One line in which what stands between backticks is code. */
export function withCode(text: string): Markup {
  const parts = text.split('`');
  // An odd backtick at the end opens nothing.
  const closed = parts.length % 2 === 1 ? parts : [...parts.slice(0, -2), parts.slice(-2).join('`')];
  return html`${closed.map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}

/** Markup of a constant of ours, such as the style sheet. Never call it with text from a report. */
export function trusted(markup: string): Markup {
  return { [MARKUP]: markup };
}

/** The finished text. */
export function renderMarkup(markup: Markup): string {
  return markup[MARKUP];
}

/** An id for an anchor, unique per input: what is not a letter or digit becomes its code. */
export function anchorId(reference: string): string {
  return reference.replace(/[^A-Za-z0-9]/gu, (char) =>
    char === ':' ? '-' : `_${char.codePointAt(0)?.toString(16)}_`,
  );
}

function toMarkup(fragment: Fragment): string {
  if (fragment === null || fragment === undefined || fragment === false) {
    return '';
  }
  if (typeof fragment === 'string') {
    return escapeHtml(visibleLine(fragment));
  }
  if (typeof fragment === 'number') {
    return String(fragment);
  }
  return isList(fragment) ? fragment.map(toMarkup).join('') : fragment[MARKUP];
}

function isList(fragment: Markup | readonly Fragment[]): fragment is readonly Fragment[] {
  return Array.isArray(fragment);
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"'`]/g, (char) => ESCAPES[char] ?? char);
}
