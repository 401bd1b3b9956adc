import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { isDoing, isIgnoring } from '../../src/domain/mutation.ts';
import type { Change, DoingChange, PlannedMutant } from '../../src/domain/mutation.ts';
import { templateOf } from '../../src/domain/path-template.ts';
import { changeAnswer } from './change-answer.ts';
import { changeRequest } from './change-request.ts';
import { isObject, jsonOf, withBody } from './traffic.ts';
import type { ProxyAnswer, ProxyRequest } from './traffic.ts';

export type Forward = (request: ProxyRequest) => Promise<ProxyAnswer>;
/** Answers a request, by asking the service or not. */
export type Behaviour = (request: ProxyRequest, forward: Forward) => Promise<ProxyAnswer>;

/** The service as it is. */
export async function asItIs(request: ProxyRequest, forward: Forward): Promise<ProxyAnswer> {
  return await forward(request);
}

/**
 * The service with one fault. What it remembers, as of earlier answers, lasts as long as the behaviour. `onApplied`
 * is called for every exchange in which the fault made a difference.
 */
export function behaviourOf(
  { target, change }: Pick<PlannedMutant, 'target' | 'change'>,
  templates: readonly string[],
  onApplied: () => void,
): Behaviour {
  const faulty = faultOf(change, onApplied);
  return async (request, forward) => {
    const meant = request.method === target.method && templateOf(request.url, templates) === target.path;
    if (!meant) {
      return await forward(request);
    }
    if (target.status === undefined) {
      return await faulty(request, forward);
    }
    const answer = await forward(request);
    return answer.status === target.status ? await faulty(request, () => Promise.resolve(answer)) : answer;
  };
}

function faultOf(change: Change, onApplied: () => void): Behaviour {
  if (isIgnoring(change)) {
    return (request, forward) => forward(noting(request, changeRequest(request, change), onApplied));
  }
  if (isDoing(change)) {
    return wrongDoing(change, onApplied);
  }
  return async (request, forward) => {
    const answer = await forward(request);
    return noting(answer, changeAnswer(answer, change), onApplied);
  };
}

function wrongDoing(change: DoingChange, onApplied: () => void): Behaviour {
  switch (change.operator) {
    case 'delay':
      return async (request, forward) => {
        const answer = await forward(request);
        onApplied();
        await sleep(change.ms);
        return answer;
      };
    case 'duplicate':
      return async (request, forward) => {
        const answer = await forward(request);
        onApplied();
        await forward(request).catch(() => undefined);
        return answer;
      };
    case 'swallow-write':
      return swallow(onApplied);
    case 'stale-read':
      return stale(onApplied);
    case 'lose-concurrent-write':
      return loseConcurrent(onApplied);
  }
}

/** The changed message; tells when it differs from what it was. */
function noting<T>(before: T, after: T, onApplied: () => void): T {
  if (after !== before && !isDeepStrictEqual(after, before)) {
    onApplied();
  }
  return after;
}

function swallow(onApplied: () => void): Behaviour {
  let last: ProxyAnswer | undefined;
  return async (request, forward) => {
    if (last) {
      onApplied();
      return echoed(last, request);
    }
    const answer = await forward(request);
    last = answer.status < 400 ? answer : undefined;
    return answer;
  };
}

function stale(onApplied: () => void): Behaviour {
  const known = new Map<string, ProxyAnswer>();
  return async (request, forward) => {
    const before = known.get(request.url);
    if (before) {
      onApplied();
      return before;
    }
    const answer = await forward(request);
    if (answer.status < 400) {
      known.set(request.url, answer);
    }
    return answer;
  };
}

/** One of each burst is lost: it gets the answer of the first, with its own values where the request has them. */
function loseConcurrent(onApplied: () => void): Behaviour {
  let underWay: Promise<ProxyAnswer>[] = [];
  let lost = false;
  return async (request, forward) => {
    const [first] = underWay;
    if (first && !lost) {
      lost = true;
      onApplied();
      return echoed(await first, request);
    }
    const answer = forward(request);
    underWay.push(answer);
    try {
      return await answer;
    } finally {
      underWay = underWay.filter((one) => one !== answer);
      lost = underWay.length > 0 && lost;
    }
  };
}

/** An earlier answer made to fit this request: members of equal name take its values. */
function echoed(answer: ProxyAnswer, request: ProxyRequest): ProxyAnswer {
  const [given, sent] = [jsonOf(answer.body), jsonOf(request.body)];
  if (!isObject(given) || !isObject(sent)) {
    return answer;
  }
  const same = Object.fromEntries(
    Object.keys(given)
      .filter((key) => Object.hasOwn(sent, key))
      .map((key) => [key, sent[key]]),
  );
  return Object.keys(same).length === 0
    ? answer
    : withBody(answer, Buffer.from(JSON.stringify({ ...given, ...same })));
}
