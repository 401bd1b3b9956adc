import { PROTOCOL_LIMITS } from '../../src/domain/grader-protocol.ts';
import type { Evidence, Exchange } from '../../src/domain/grader-protocol.ts';

/** From the least to the most painful cut; the first result that fits is taken. */
const CUTS: readonly ((evidence: Evidence) => Evidence)[] = [
  (evidence) => evidence,
  (evidence) => eachExchange(evidence, (exchange) => shortenBodies(exchange, 1024)),
  (evidence) => lastExchanges(evidence, 3),
  (evidence) => ({
    ...eachExchange(evidence, (exchange) => shortenBodies(exchange, 256)),
    ...shortDiff(evidence, 40),
  }),
  (evidence) => lastExchanges(evidence, 1),
  (evidence) => ({ ...eachExchange(evidence, withoutBulk), ...shortDiff(evidence, 10) }),
  ({ at, expected, actual }) => ({
    ...(at === undefined ? {} : { at }),
    ...(expected === undefined ? {} : { expected: expected.slice(0, 500) }),
    ...(actual === undefined ? {} : { actual: actual.slice(0, 500) }),
  }),
];

/** Cuts evidence until it is within the protocol's cap, earlier exchanges and long bodies first. */
export function fitEvidence(evidence: Evidence): Evidence {
  let cut = evidence;
  for (const step of CUTS) {
    cut = step(cut);
    if (Buffer.byteLength(JSON.stringify(cut)) <= PROTOCOL_LIMITS.evidenceBytes) {
      break;
    }
  }
  return cut;
}

function eachExchange(evidence: Evidence, change: (exchange: Exchange) => Exchange): Evidence {
  return evidence.exchanges ? { ...evidence, exchanges: evidence.exchanges.map(change) } : evidence;
}

function lastExchanges(evidence: Evidence, count: number): Evidence {
  return evidence.exchanges ? { ...evidence, exchanges: evidence.exchanges.slice(-count) } : evidence;
}

function shortDiff(evidence: Evidence, lines: number): { diff?: string[] } {
  return evidence.diff && evidence.diff.length > lines
    ? { diff: [...evidence.diff.slice(0, lines), '  … (more)'] }
    : {};
}

function shortenBodies(exchange: Exchange, maxChars: number): Exchange {
  const { request, response } = exchange;
  return {
    ...exchange,
    request: shortenBody(request, maxChars),
    ...(response ? { response: shortenBody(response, maxChars) } : {}),
  };
}

function shortenBody<T extends { body?: string | undefined; bodyTruncated?: boolean | undefined }>(
  message: T,
  maxChars: number,
): T {
  return message.body !== undefined && message.body.length > maxChars
    ? { ...message, body: message.body.slice(0, maxChars), bodyTruncated: true }
    : message;
}

/** The bare facts: a command line or address that fills the page helps nobody. */
function withoutBulk(exchange: Exchange): Exchange {
  const { curl: _curl, ...rest } = shortenBodies(exchange, 128);
  return {
    ...rest,
    request: {
      ...rest.request,
      url: rest.request.url.slice(0, 500),
      headers: clipHeaders(rest.request.headers),
    },
    ...(rest.response ? { response: { ...rest.response, headers: clipHeaders(rest.response.headers) } } : {}),
  };
}

function clipHeaders(headers: readonly [string, string][]): [string, string][] {
  return headers.slice(0, 10).map(([name, value]) => [name.slice(0, 100), value.slice(0, 100)]);
}
