import type { Exchange } from '../../src/domain/grader-protocol.ts';
import { toCurl } from './curl.ts';
import type { HttpOutcome, HttpRequest } from './http-types.ts';
import { redactHeader } from './secrets.ts';

/** Per exchange; the evidence as a whole is fitted to the protocol's cap later. */
const MAX_BODY_BYTES = 4096;
const MAX_HEADERS = 40;
const MAX_HEADER_CHARS = 400;
const MAX_URL_CHARS = 4096;
/** Exchanges that led to the failing one. */
const MAX_EARLIER = 5;
/** Of many that failed in the same way. */
export const MAX_FAILING = 3;

/** The exchanges of a check, as far as a reader wants them. */
export class Trail {
  #earlier: Exchange[] = [];
  #failing: Exchange[] = [];

  /** Keeps an exchange that went well; only the latest few are kept. */
  add(...exchanges: Exchange[]): void {
    this.#earlier = [...this.#earlier, ...exchanges].slice(-MAX_EARLIER);
  }

  /** Keeps exchanges that show the failure. */
  addFailing(...exchanges: Exchange[]): void {
    this.#failing = [...this.#failing, ...exchanges].slice(0, MAX_FAILING);
  }

  /** Takes over what a part of the check has gathered. */
  adopt(part: Trail): void {
    this.add(...part.#earlier);
    this.addFailing(...part.#failing);
  }

  /** What led to the failure, then the failure. */
  exchanges(): Exchange[] {
    return [...this.#earlier, ...this.#failing];
  }
}

/** One exchange as evidence, capped, without the credentials in its headers. */
export function toExchange(sent: HttpRequest, outcome: HttpOutcome, origin: string): Exchange {
  const { response, failure } = outcome;
  const request = { ...sent, headers: withoutCredentials(sent.headers) };
  const url = origin + request.path;
  return {
    label: `${request.method} ${request.path}`.slice(0, 200),
    request: {
      method: request.method,
      url: clip(url, MAX_URL_CHARS),
      headers: clipHeaders(request.headers),
      ...(request.body ? bodyText(request.body, false) : {}),
    },
    ...(response
      ? {
          response: {
            status: response.status,
            headers: clipHeaders(withoutCredentials(response.headers)),
            ...bodyText(response.body, response.bodyTruncated),
          },
        }
      : {}),
    ...(failure ? { error: `${failure.kind}: ${failure.message}` } : {}),
    durationMs: Math.round(outcome.durationMs * 100) / 100,
    ...(url.length <= MAX_URL_CHARS ? { curl: toCurl(request, origin) } : {}),
  };
}

function withoutCredentials(headers: readonly [string, string][]): [string, string][] {
  return headers.map(([name, value]) => [name, redactHeader(name, value)]);
}

function bodyText(body: Buffer, truncated: boolean): { body: string; bodyTruncated?: true } {
  const cut = body.length > MAX_BODY_BYTES;
  const text = body.subarray(0, MAX_BODY_BYTES).toString('utf8');
  return cut || truncated ? { body: text, bodyTruncated: true } : { body: text };
}

function clipHeaders(headers: readonly [string, string][]): [string, string][] {
  return headers
    .slice(0, MAX_HEADERS)
    .map(([name, value]) => [clip(name, MAX_HEADER_CHARS), clip(value, MAX_HEADER_CHARS)]);
}

function clip(text: string, maxChars: number): string {
  return text.length <= maxChars ? text : `${text.slice(0, maxChars)}…`;
}
