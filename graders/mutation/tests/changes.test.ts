import { describe, expect, it } from 'vitest';
import type { AnswerChange } from '../../../src/domain/mutation.ts';
import { changeAnswer } from '../change-answer.ts';
import { changeRequest } from '../change-request.ts';
import { headerOf } from '../traffic.ts';
import type { ProxyAnswer, ProxyRequest } from '../traffic.ts';

const page = {
  links: [
    { code: 'a', visits: 1, createdAt: '2026-03-01T09:30:00.000Z', expiresAt: null },
    { code: 'b', visits: 2, createdAt: '2026-03-01T09:30:00.000Z', expiresAt: null },
  ],
  nextCursor: '17',
};

function answerOf(body: unknown): ProxyAnswer {
  return {
    status: 200,
    headers: [
      ['Content-Type', 'application/json'],
      ['Content-Length', '999'],
      ['Allow', 'GET, HEAD, POST'],
      ['ETag', 'W/"7"'],
    ],
    body: Buffer.from(JSON.stringify(body)),
  };
}

function changedBody(change: AnswerChange): unknown {
  const answer = changeAnswer(answerOf(page), change);
  expect(headerOf(answer.headers, 'content-length')).toBe(String(answer.body.length));
  return JSON.parse(answer.body.toString());
}

describe('changeAnswer', () => {
  it('changes what a place in the body holds, in every element of a list', () => {
    const at = ['links', '*', 'visits'];

    expect(changedBody({ operator: 'drop-field', at })).toMatchObject({
      links: [expect.not.objectContaining({ visits: 1 }), expect.not.objectContaining({ visits: 2 })],
    });
    expect(changedBody({ operator: 'change-value', at })).toMatchObject({
      links: [{ visits: 2 }, { visits: 3 }],
    });
    expect(changedBody({ operator: 'change-type', at })).toMatchObject({
      links: [{ visits: '1' }, { visits: '2' }],
    });
  });

  it('keeps a time a time, makes a number of digits, and gives null a value', () => {
    const time = changedBody({ operator: 'change-value', at: ['links', '*', 'createdAt'] });
    expect(time).toMatchObject({ links: [{ createdAt: '2026-03-01T10:30:00.000Z' }, {}] });
    expect(changedBody({ operator: 'change-type', at: ['nextCursor'] })).toMatchObject({ nextCursor: 17 });
    const set = changedBody({ operator: 'change-value', at: ['links', '*', 'expiresAt'] });
    expect(set).toMatchObject({ links: [{ expiresAt: 'changed' }, { expiresAt: 'changed' }] });
  });

  it('reorders, shortens and extends', () => {
    expect(changedBody({ operator: 'reorder-list', at: ['links'] })).toMatchObject({
      links: [{ code: 'b' }, { code: 'a' }],
    });
    expect(changedBody({ operator: 'truncate-list', at: ['links'] })).toHaveProperty('links.length', 1);
    expect(Object.keys(changedBody({ operator: 'add-field', at: [] }) as object)).toHaveLength(3);
  });

  it('changes the status and single headers', () => {
    const answer = answerOf(page);

    expect(changeAnswer(answer, { operator: 'change-status', status: 404 }).status).toBe(404);
    expect(headerOf(changeAnswer(answer, { operator: 'drop-header', name: 'etag' }).headers, 'etag')).toBe(
      undefined,
    );
    function changed(name: string): string | undefined {
      return headerOf(changeAnswer(answer, { operator: 'change-header', name }).headers, name);
    }
    expect([changed('allow'), changed('etag')]).toEqual(['HEAD, POST', 'W/"7x"']);
    expect(headerOf(changeAnswer(answer, { operator: 'wrong-content-type' }).headers, 'content-type')).toBe(
      'text/html',
    );
    expect(changeAnswer(answer, { operator: 'empty-body' }).body).toHaveLength(0);
  });

  it('leaves what it does not find as it is', () => {
    const answer = { ...answerOf(page), body: Buffer.from('<p>no JSON</p>') };

    expect(changeAnswer(answer, { operator: 'drop-field', at: ['links'] })).toBe(answer);
    expect(changeAnswer(answer, { operator: 'change-header', name: 'location' })).toBe(answer);
  });
});

describe('changeRequest', () => {
  const request: ProxyRequest = {
    method: 'POST',
    url: '/links?limit=2&cursor=a%20b&limit=3',
    headers: [
      ['If-Match', '"1"'],
      ['Content-Length', '10'],
    ],
    body: Buffer.from('{"url":"x","alias":"y"}'),
  };

  it('takes one part away', () => {
    expect(changeRequest(request, { operator: 'ignore-query', name: 'limit' }).url).toBe(
      '/links?cursor=a%20b',
    );
    expect(changeRequest(request, { operator: 'ignore-header', name: 'if-match' }).headers).toHaveLength(1);
    const changed = changeRequest(request, { operator: 'ignore-member', name: 'alias' });
    expect(changed.body.toString()).toBe('{"url":"x"}');
    expect(headerOf(changed.headers, 'content-length')).toBe('11');
  });

  it('keeps the bytes of what it does not touch', () => {
    const broken = { ...request, body: Buffer.from('{"url": ') };

    expect(changeRequest(broken, { operator: 'ignore-member', name: 'url' })).toBe(broken);
    expect(changeRequest(request, { operator: 'ignore-member', name: 'other' })).toBe(request);
  });
});
