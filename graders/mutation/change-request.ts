import type { IgnoringChange } from '../../src/domain/mutation.ts';
import { changeAt, REMOVED } from './change-json.ts';
import { jsonOf, withBody, withoutHeaders } from './traffic.ts';
import type { ProxyRequest } from './traffic.ts';

/** The request as a service sees it that does not look at one part of it. Pure. */
export function changeRequest(request: ProxyRequest, change: IgnoringChange): ProxyRequest {
  switch (change.operator) {
    case 'ignore-header':
      return { ...request, headers: withoutHeaders(request.headers, change.name) };
    case 'ignore-query':
      return { ...request, url: withoutQuery(request.url, change.name) };
    case 'ignore-member': {
      const json = jsonOf(request.body);
      const changed = changeAt(json, [change.name], () => REMOVED);
      // What is not touched keeps its bytes: it may be broken on purpose.
      return changed === json || json === undefined || sameSize(json, changed)
        ? request
        : withBody(request, Buffer.from(JSON.stringify(changed)));
    }
  }
}

function sameSize(before: unknown, after: unknown): boolean {
  return Object.keys(before as object).length === Object.keys(after as object).length;
}

function withoutQuery(url: string, name: string): string {
  const [path = '', query] = url.split('?', 2);
  const pairs = (query ?? '').split('&').filter((pair) => decode(pair.split('=', 1)[0] ?? '') !== name);
  const rest = pairs.filter((pair) => pair !== '').join('&');
  return rest === '' ? path : `${path}?${rest}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}
