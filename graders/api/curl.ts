import { isDefaultHeader } from '../shared/default-headers.ts';
import { OFFERED_ENCODINGS } from './build-request.ts';
import type { HttpRequest } from './http-types.ts';

/** What only concerns the wire. */
const LEFT_OUT = new Set(['host', 'content-length', 'connection']);
/** Longer bodies would drown the line. */
const MAX_BODY_BYTES = 2048;

/** A shell command that repeats a request. Bodies that are too long for a line are named as a file. */
export function toCurl(request: HttpRequest, origin: string): string {
  const words = ['curl', '-sS', '-i'];
  if (request.method === 'HEAD') {
    words.push('-I');
  } else if (request.method !== 'GET' || request.body) {
    words.push('-X', request.method);
  }
  if (/[[\]{}]/.test(request.path)) {
    words.push('-g');
  }
  if (/\/\.{1,2}(?:\/|$|\?)/.test(request.path)) {
    words.push('--path-as-is');
  }
  words.push(shellWord(origin + request.path));
  for (const [name, value] of request.headers) {
    if (name.toLowerCase() === 'accept-encoding' && value === OFFERED_ENCODINGS) {
      words.push('--compressed');
    } else if (!LEFT_OUT.has(name.toLowerCase()) && !isDefaultHeader(name, value)) {
      const text = Buffer.from(value, 'latin1').toString('utf8');
      words.push('-H', shellWord(text === '' ? `${name};` : `${name}: ${text}`));
    }
  }
  return withBody(words, request);
}

function withBody(words: string[], request: HttpRequest): string {
  const { body } = request;
  if (!body) {
    return words.join(' ');
  }
  // Without this curl would claim that the body is a form.
  const typed = request.headers.some(([name]) => name.toLowerCase() === 'content-type');
  const line = [...words, ...(typed ? [] : ['-H', shellWord('content-type:')])].join(' ');
  if (body.length > MAX_BODY_BYTES) {
    return `${line} --data-binary @body.bin  # a body of ${body.length} bytes, too long to show`;
  }
  const text = body.toString('utf8');
  return Buffer.from(text).equals(body) && !text.includes('\0')
    ? `${line} --data-binary ${shellWord(text)}`
    : `printf %s ${body.toString('base64')} | base64 -d | ${line} --data-binary @-`;
}

/** Quotes for sh; texts with control characters need the $'…' form of bash. */
function shellWord(text: string): string {
  if (/^[\w./:@%+,=-]+$/.test(text)) {
    return text;
  }
  if (/\p{Cc}/u.test(text)) {
    const escaped = text
      .replaceAll('\\', String.raw`\\`)
      .replaceAll("'", String.raw`\'`)
      .replaceAll(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
    return `$'${escaped}'`;
  }
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
