import type { Evidence, Exchange } from '../../src/domain/grader-protocol.ts';
import { isDefaultHeader } from '../shared/default-headers.ts';
import { headerLines } from './response-head.ts';
import type { Sample } from './sampler.ts';

const MAX_BODY_CHARS = 2048;
const MAX_HEADERS = 40;
const MAX_HEADER_CHARS = 500;

/** Exchanges for a report, or undefined when there is none to show. */
export function toEvidence(samples: readonly Sample[], origin: string): Evidence | undefined {
  return samples.length === 0
    ? undefined
    : { exchanges: samples.map((sample) => toExchange(sample, origin)) };
}

function toExchange(sample: Sample, origin: string): Exchange {
  const { requestText, response, failure, latencyMs, serviceMs } = sample;
  const waitedMs = latencyMs - serviceMs;
  const queued = waitedMs >= 1 ? `; ${Math.round(waitedMs)} ms of it waiting for a free connection` : '';
  return {
    label: `answered after ${Math.round(latencyMs)} ms${queued}`.replace(
      'answered',
      response ? 'answered' : 'failed',
    ),
    ...toRequest(requestText, origin),
    ...(response && {
      response: {
        status: response.status,
        headers: capHeaders(headerLines(response.head)),
        body: response.body,
        ...(response.bodyTruncated ? { bodyTruncated: true } : {}),
      },
    }),
    ...(failure === undefined ? {} : { error: failure }),
    durationMs: Math.round(serviceMs * 1000) / 1000,
  };
}

function toRequest(text: string, origin: string): Pick<Exchange, 'request' | 'curl'> {
  const split = text.indexOf('\r\n\r\n');
  const head = split === -1 ? text : text.slice(0, split);
  const body = split === -1 ? '' : text.slice(split + 4);
  const [method = '', path = ''] = head.split(' ');
  const headers = headerLines(head);
  const url = `${origin}${path}`;
  return {
    request: {
      method,
      url,
      headers: capHeaders(headers),
      ...(body === '' ? {} : { body: body.slice(0, MAX_BODY_CHARS) }),
      ...(body.length > MAX_BODY_CHARS ? { bodyTruncated: true } : {}),
    },
    ...(text === '' ? {} : { curl: toCurl(method, url, headers, body) }),
  };
}

/** A command line for the request; what curl sends as well is left out. */
function toCurl(method: string, url: string, headers: readonly [string, string][], body: string): string {
  const own = headers.filter(
    ([name, value]) => !['host', 'content-length'].includes(name) && !isDefaultHeader(name, value),
  );
  return [
    'curl -i',
    ...(method === 'HEAD' ? ['-I'] : [`-X ${method}`]),
    ...own.map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`),
    ...(body === '' ? [] : [`--data-binary ${quote(body)}`]),
    quote(url),
  ].join(' ');
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function capHeaders(headers: readonly [string, string][]): [string, string][] {
  return headers.slice(0, MAX_HEADERS).map(([name, value]) => [name, value.slice(0, MAX_HEADER_CHARS)]);
}
