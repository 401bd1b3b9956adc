import type { AnswerChange } from '../../src/domain/mutation.ts';
import { changeAt, otherType, otherValue, REMOVED } from './change-json.ts';
import { headerOf, isObject, jsonOf, withBody, withoutHeaders } from './traffic.ts';
import type { ProxyAnswer } from './traffic.ts';

/** The answer as a service with this fault would give it. Pure. */
export function changeAnswer(answer: ProxyAnswer, change: AnswerChange): ProxyAnswer {
  switch (change.operator) {
    case 'change-status':
      return withStatus(answer, change.status);
    case 'drop-field':
      return withJson(answer, change.at, () => REMOVED);
    case 'change-value':
      return withJson(answer, change.at, otherValue);
    case 'change-type':
      return withJson(answer, change.at, otherType);
    case 'add-field':
      return withJson(answer, change.at, (value) => (isObject(value) ? { ...value, internalId: 7 } : value));
    case 'reorder-list':
      return withJson(answer, change.at, (value) => (Array.isArray(value) ? value.toReversed() : value));
    case 'truncate-list':
      return withJson(answer, change.at, (value) => (Array.isArray(value) ? value.slice(0, -1) : value));
    case 'drop-header':
      return { ...answer, headers: withoutHeaders(answer.headers, change.name) };
    case 'change-header':
      return withHeader(answer, change.name);
    case 'wrong-content-type':
      return {
        ...answer,
        headers: [...withoutHeaders(answer.headers, 'content-type'), ['content-type', 'text/html']],
      };
    case 'empty-body':
      return withBody(answer, Buffer.alloc(0));
  }
}

function withStatus(answer: ProxyAnswer, status: number): ProxyAnswer {
  const changed = { ...answer, status };
  // An answer that had no body says so, now that its status would allow one.
  const bare = answer.body.length === 0 && headerOf(answer.headers, 'content-length') === undefined;
  return bare ? withBody(changed, answer.body) : changed;
}

function withJson(
  answer: ProxyAnswer,
  at: readonly string[],
  change: (value: unknown) => unknown,
): ProxyAnswer {
  const json = jsonOf(answer.body);
  const changed = json === undefined ? undefined : changeAt(json, at, change);
  return changed === undefined ? answer : withBody(answer, Buffer.from(JSON.stringify(changed)));
}

function withHeader(answer: ProxyAnswer, name: string): ProxyAnswer {
  const value = headerOf(answer.headers, name);
  return value === undefined
    ? answer
    : {
        ...answer,
        headers: [...withoutHeaders(answer.headers, name), [name, otherHeader(name, value)]],
      };
}

function otherHeader(name: string, value: string): string {
  switch (name) {
    case 'cache-control':
      return 'public, max-age=600';
    case 'allow':
      return value.includes(',') ? value.slice(value.indexOf(',') + 1).trim() : 'TRACE';
    case 'etag':
      return value.replace(/"([^"]*)"/, '"$1x"');
    case 'retry-after':
      return '0';
    default:
      return `${value}x`;
  }
}
