import type { App } from '../app-types.ts';
import { Problem } from '../problems.ts';

const MAX_DEPTH = 32;
const POISONOUS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * Reads JSON bodies strictly: UTF-8 without a mark in front, at most 32 levels, every key once, no key that reaches
 * for a prototype. What is lenient in one reader and strict in another is where attacks live.
 */
export function registerJsonBody(app: App): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, readJson(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Throws Problem `MALFORMED_JSON` that says what is wrong. */
export function readJson(body: Buffer): unknown {
  const text = decode(body);
  checkStructure(text);
  try {
    return JSON.parse(text);
  } catch {
    throw malformed('it is no JSON');
  }
}

function decode(body: Buffer): string {
  if (body.length === 0) {
    throw malformed('it is empty');
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw malformed('it is no UTF-8');
  }
}

/** Keys and depth, in one pass over text that may yet be no JSON at all. */
function checkStructure(text: string): void {
  const open: (Set<string> | null)[] = [];
  for (let index = 0; index < text.length; index += 1) {
    const char = text[index];
    if (char === '{' || char === '[') {
      open.push(char === '{' ? new Set() : null);
      if (open.length > MAX_DEPTH) {
        throw malformed(`it is nested deeper than ${MAX_DEPTH} levels`);
      }
    } else if (char === '}' || char === ']') {
      open.pop();
    } else if (char === '"') {
      const end = endOfString(text, index);
      const keys = open.at(-1);
      if (keys && /^\s*:/.test(text.slice(end, end + 64))) {
        addKey(text.slice(index, end), keys);
      }
      index = end - 1;
    }
  }
}

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index += 1) {
    if (text[index] === '\\') {
      index += 1;
    } else if (text[index] === '"') {
      return index + 1;
    }
  }
  return text.length;
}

function addKey(quoted: string, keys: Set<string>): void {
  const key = parseKey(quoted);
  if (POISONOUS.has(key)) {
    throw malformed('a key is not allowed');
  }
  if (keys.has(key)) {
    throw malformed('a key stands twice in one object');
  }
  keys.add(key);
}

function parseKey(quoted: string): string {
  try {
    return JSON.parse(quoted) as string;
  } catch {
    throw malformed('it is no JSON');
  }
}

function malformed(why: string): Problem {
  return new Problem('MALFORMED_JSON', `The body cannot be used: ${why}.`);
}
