import type { JsonValue } from '../../src/domain/json-value.ts';

/** Deeper documents are refused before anything recurses over them. */
const MAX_DEPTH = 200;

export type ParsedJson =
  | { ok: true; value: JsonValue /** Oddities that were tolerated. */; notes: string[] }
  | { ok: false; problem: string };

/** Parses a body that may be hostile. `__proto__` stays data, a byte order mark and repeated keys are noted. */
export function parseJson(body: Buffer): ParsedJson {
  const notes: string[] = [];
  let text = body.toString('utf8');
  if (text.startsWith('\uFEFF')) {
    notes.push('the body begins with a byte order mark');
    text = text.slice(1);
  }
  if (text.includes('\uFFFD') && !body.includes('\uFFFD')) {
    notes.push('the body is not valid UTF-8');
  }
  if (text.trim() === '') {
    return { ok: false, problem: 'it is empty' };
  }
  const tooDeep = isTooDeep(text);
  if (tooDeep) {
    return { ok: false, problem: `it is nested deeper than ${MAX_DEPTH} levels` };
  }
  try {
    const value = JSON.parse(text) as JsonValue;
    const repeated = repeatedKey(text);
    if (repeated !== undefined) {
      notes.push(`the key ${repeated.slice(0, 80)} stands twice in one object`);
    }
    return { ok: true, value, notes };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: reason.replaceAll(/\s+/g, ' ').slice(0, 200) };
  }
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (const token of tokens(text)) {
    if (token === '{' || token === '[') {
      depth += 1;
    } else if (token === '}' || token === ']') {
      depth -= 1;
    }
    if (depth > MAX_DEPTH) {
      return true;
    }
  }
  return false;
}

/** The first key (in quotes) that an object has twice. The text is known to be JSON. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = '';
  for (const token of tokens(text)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : undefined);
    } else if (token === '}' || token === ']') {
      open.pop();
    } else if (token === ':') {
      const keys = open.at(-1);
      if (keys?.has(last)) {
        return last;
      }
      keys?.add(last);
    }
    last = token;
  }
  return undefined;
}

/** Brackets, colons and whole strings; everything else is skipped. One pass, no backtracking. */
function* tokens(text: string): Generator<string> {
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at);
    if (char === '"') {
      const start = at;
      for (at += 1; at < text.length && text.charAt(at) !== '"'; at += 1) {
        if (text.charAt(at) === '\\') {
          at += 1;
        }
      }
      yield text.slice(start, at + 1);
    } else if ('{}[]:'.includes(char)) {
      yield char;
    }
  }
}
