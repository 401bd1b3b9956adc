import type { Check, Exchange } from '../domain/grader-protocol.ts';
import { excerpt } from './text-safety.ts';

const BODY_CHARS = 90;
const PATH_CHARS = 80;

/** The exchange that a failing check failed at: the last one it made. */
export function tellingExchange(check: Check): Exchange | undefined {
  return check.evidence?.exchanges?.at(-1);
}

/** What a check cost of its own points. */
export function lostPoints(check: Check): number {
  return Math.max(0, check.maxPoints - check.points);
}

/** "POST /links", without scheme and host. */
export function describeCall(exchange: Exchange): string {
  return `${exchange.request.method} ${excerpt(requestPath(exchange.request.url), PATH_CHARS)}`;
}

/** " with a body of `{"url":`", " with an empty body", or "" for a request that has none. */
export function describeBody(exchange: Exchange): string {
  const { method, body } = exchange.request;
  if (body === undefined) {
    return ['POST', 'PUT', 'PATCH'].includes(method) ? ' without a body' : '';
  }
  if (body === '') {
    return ' with an empty body';
  }
  const size = body.length > 2 * BODY_CHARS ? ` (${body.length} characters)` : '';
  return ` with a body of ${quote(body, BODY_CHARS)}${size}`;
}

/** What came back: "answered 500", or "gave no complete answer (connection reset)". */
export function describeAnswer(exchange: Exchange): string {
  if (exchange.response) {
    return `answered ${exchange.response.status}`;
  }
  return `gave no complete answer${exchange.error ? ` (${excerpt(exchange.error, BODY_CHARS)})` : ''}`;
}

/** Text of others inside a sentence of ours: one line, between backticks. */
export function quote(text: string, max: number): string {
  return `\`${excerpt(text.replace(/\s+/g, ' ').trim(), max).replaceAll('`', "'")}\``;
}

/** What is special about a request, as far as it can be seen, for the question that is asked about it. */
export type InputKind = 'malformed-json' | 'empty' | 'large' | 'wrong-type' | 'not-ascii' | 'ordinary';

/** Tells what kind of input a request carries. */
export function inputKind(exchange: Exchange): InputKind {
  const { body, bodyTruncated, headers, url } = exchange.request;
  const contentType = headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1].toLowerCase();
  if (bodyTruncated || (body ?? '').length > 2048 || url.length > 1024) {
    return 'large';
  }
  if (body === '') {
    return 'empty';
  }
  if (body !== undefined && contentType !== undefined && !contentType.includes('json')) {
    return 'wrong-type';
  }
  if (body !== undefined && !isJson(body)) {
    return 'malformed-json';
  }
  return /[^\p{ASCII}]/u.test((body ?? '') + url) ? 'not-ascii' : 'ordinary';
}

function requestPath(url: string): string {
  return url.replace(/^https?:\/\/[^/?#]*/i, '') || '/';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
