import type { RequestStep } from '../../src/domain/api-suite-step.ts';
import type { HeaderSet } from '../shared/default-headers.ts';
import { CheckFailure } from './failures.ts';
import type { Address } from './http-client.ts';
import type { HttpRequest } from './http-types.ts';
import { buildBody } from './request-body.ts';
import { expandText } from './template.ts';
import type { Scope } from './template.ts';

const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);
/** What `decompress` asks for. */
export const OFFERED_ENCODINGS = 'gzip, deflate, br';
const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** The base address of the service as suites and reviewers see it. */
export function baseUrl(target: Address): string {
  return `http://localhost:${target.port}`;
}

/**
 * Makes the request of a step with every template replaced. Throws `CheckFailure` when a value that came from the
 * service cannot be sent, or leads away from it.
 */
export function buildRequest(
  step: RequestStep,
  scope: Scope,
  target: Address,
  defaults: HeaderSet,
): HttpRequest {
  const space = step.request.indexOf(' ');
  const method = step.request.slice(0, space);
  const path = withQuery(toPath(expandText(step.request.slice(space + 1), scope), target), step, scope);
  const { body, contentType } = buildBody(step, scope);
  const length = body?.length ?? (METHODS_WITH_BODY.has(method) ? 0 : undefined);
  const standard: [string, string | undefined][] = [
    ['host', `localhost:${target.port}`],
    ...withEncodings(defaults, step.decompress ?? false),
    ['content-type', contentType],
    ['content-length', length?.toString()],
  ];
  return { method, path, headers: mergeHeaders(standard, step, scope), body };
}

function withEncodings(defaults: HeaderSet, decompress: boolean): [string, string][] {
  const others = defaults.filter(([name]) => !decompress || name.toLowerCase() !== 'accept-encoding');
  return [
    ...others.map(([name, value]): [string, string] => [name, value]),
    ...(decompress ? [['accept-encoding', OFFERED_ENCODINGS] as [string, string]] : []),
  ];
}

function mergeHeaders(
  standard: readonly [string, string | undefined][],
  step: RequestStep,
  scope: Scope,
): [string, string][] {
  const own = Object.entries(step.headers ?? {});
  const replaced = new Set(own.map(([name]) => name.toLowerCase()));
  const headers: [string, string][] = [];
  for (const [name, value] of standard) {
    if (value !== undefined && !replaced.has(name.toLowerCase())) {
      headers.push([name, value]);
    }
  }
  for (const [name, value] of own) {
    const values = value === null ? [] : [value].flat();
    headers.push(
      ...values.map((one): [string, string] => [name, headerValue(name, expandText(String(one), scope))]),
    );
  }
  return headers;
}

/** Texts outside ASCII are sent as UTF-8. */
function headerValue(name: string, value: string): string {
  const bytes = Buffer.from(value, 'utf8').toString('latin1');
  if (!/^[\t\x20-\x7E\x80-\xFF]*$/.test(bytes)) {
    throw new CheckFailure(
      `the value ${JSON.stringify(value.slice(0, 100))} cannot be sent in the header "${name}"`,
    );
  }
  return bytes;
}

/** A path stays as it is written; a URL must be one of the service. */
function toPath(address: string, target: Address): string {
  if (address.startsWith('/')) {
    return encodeIllegal(address.split('#', 1)[0] ?? '/');
  }
  if (address.length > 64 * 1024 || !URL.canParse(address, baseUrl(target))) {
    throw new CheckFailure(
      `${JSON.stringify(address.slice(0, 200))} is not an address that can be requested`,
    );
  }
  const url = new URL(address, baseUrl(target));
  const own =
    url.protocol === 'http:' && LOOPBACK_NAMES.has(url.hostname) && Number(url.port || 80) === target.port;
  if (!own) {
    throw new CheckFailure(
      `${JSON.stringify(address.slice(0, 200))} leads away from the service, at ${baseUrl(target)}`,
    );
  }
  return encodeIllegal(url.pathname + url.search);
}

/** Percent-encodes what no request line may hold: spaces, control characters and everything beyond ASCII. */
function encodeIllegal(path: string): string {
  return path.replaceAll(/[^\x21-\x7E]+/g, (part) => encodeURIComponent(wellFormed(part)));
}

function withQuery(path: string, step: RequestStep, scope: Scope): string {
  const pairs = Object.entries(step.query ?? {}).flatMap(([name, value]) =>
    [value]
      .flat()
      .map(
        (one) =>
          `${encodeURIComponent(name)}=${encodeURIComponent(wellFormed(expandText(String(one), scope)))}`,
      ),
  );
  if (pairs.length === 0) {
    return path;
  }
  return `${path}${path.includes('?') ? '&' : '?'}${pairs.join('&')}`;
}

/** Lone surrogates, which no encoding can carry, become U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}
