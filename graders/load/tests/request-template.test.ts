import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/domain/json-value.ts';
import { DEFAULT_HEADERS } from '../../shared/default-headers.ts';
import { makePrng } from '../../shared/prng.ts';
import { compileRequest } from '../request-template.ts';
import { taskOf } from './plan-of.ts';

const TARGET = { address: '127.0.0.1', port: 8080 };
const CAPTURE = [{ request: 'POST /', capture: { code: '$.code', other: '$.other' } }];

function render(
  task: Record<string, unknown>,
  captures: Record<string, JsonValue> = {},
  seed = 'seed',
): string {
  const rendered = compileRequest(
    taskOf(task, CAPTURE),
    TARGET,
    Object.entries(DEFAULT_HEADERS),
  )({
    captures: new Map(Object.entries(captures)),
    prng: makePrng(seed),
  });
  return 'text' in rendered ? rendered.text : `missing ${rendered.missing}`;
}

describe('a request', () => {
  test('goes over the wire as HTTP/1.1 with the headers every grader sends', () => {
    expect(
      render({ request: 'GET /links?limit=2', headers: { 'X-Trace': 'a b' }, query: { q: 'a&b' } }),
    ).toBe(
      'GET /links?limit=2&q=a%26b HTTP/1.1\r\nhost: 127.0.0.1:8080\r\naccept: */*\r\naccept-encoding: identity\r\n' +
        'user-agent: node\r\nx-trace: a b\r\n\r\n',
    );
  });

  test('sets a header in place of the one that its client sends, however that is spelled', () => {
    const request = compileRequest(taskOf({ request: 'GET /', headers: { Accept: 'text/csv' } }), TARGET, [
      ['User-Agent', 'curl/8.14.1'],
      ['Accept', '*/*'],
    ]);
    expect(request({ captures: new Map(), prng: makePrng('') })).toEqual({
      text: 'GET / HTTP/1.1\r\nhost: 127.0.0.1:8080\r\nUser-Agent: curl/8.14.1\r\naccept: text/csv\r\n\r\n',
    });
  });

  test('names an IPv6 host in brackets', () => {
    const request = compileRequest(taskOf({ request: 'GET /' }), { address: '::1', port: 80 }, []);
    expect(request({ captures: new Map(), prng: makePrng('') })).toMatchObject({
      text: expect.stringContaining('host: [::1]:80\r\n') as string,
    });
  });

  test('without templates is rendered once', () => {
    const request = compileRequest(taskOf({ request: 'POST /', json: { a: 1 } }), TARGET, []);
    const values = { captures: new Map<string, JsonValue>(), prng: makePrng('') };
    expect(request(values)).toBe(request(values));
  });

  test('sends JSON with its length in bytes', () => {
    const text = render(
      { request: 'POST /', json: { a: ['é', 1, null, true, {}], 'k"': '${code}' } },
      { code: 'a"\n€' },
    );
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    expect(JSON.parse(body)).toEqual({ a: ['é', 1, null, true, {}], 'k"': 'a"\n€' });
    expect(text).toContain(`content-length: ${Buffer.byteLength(body)}\r\n`);
    expect(text).toContain('content-type: application/json\r\n');
  });

  test('keeps the type of a value that is a template alone, and makes text of it elsewhere', () => {
    const text = render({ request: 'POST /', json: { a: '${code}', b: 'no ${code}' } }, { code: 5 });
    expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('{"a":5,"b":"no 5"}');
  });

  test('sends forms and text', () => {
    expect(render({ request: 'POST /', form: { a: '${code}', b: 'x y' } }, { code: '&=' })).toContain(
      'application/x-www-form-urlencoded\r\ncontent-length: 16\r\n\r\na=%26%3D&b=x%20y',
    );
    expect(render({ request: 'PUT /', text: 'é${code}' }, { code: 'x' })).toContain(
      'content-length: 3\r\n\r\néx',
    );
    expect(render({ request: 'POST /' })).toContain('content-length: 0\r\n');
    expect(render({ request: 'DELETE /' })).not.toContain('content-length');
  });

  test('cannot be split or redirected by what a service answered', () => {
    const evil = 'x HTTP/1.1\r\nhost: evil\r\n\r\nGET /#\ud800é';
    const text = render({ request: 'GET /${code}', headers: { 'x-code': '${code}' } }, { code: evil });
    const [head, ...rest] = text.split('\r\n\r\n');
    expect(rest).toEqual(['']);
    expect(head?.split('\r\n')).toHaveLength(6);
    expect(head?.split('\r\n')[0]).toBe(
      'GET /x%20HTTP/1.1%0D%0Ahost:%20evil%0D%0A%0D%0AGET%20/%23%EF%BF%BD%C3%A9 HTTP/1.1',
    );
    expect(render({ request: 'GET /${code}' }, { code: 'a%20b/c?d=1' })).toContain(
      'GET /a%20b/c?d=1 HTTP/1.1',
    );
  });

  test('names the capture it waits for', () => {
    expect(render({ request: 'GET /${code}' })).toBe('missing code');
    expect(render({ request: 'POST /', json: ['${other}'] }, { code: 'x' })).toBe('missing other');
  });

  test('draws the same random values from the same seed, new ones each time', () => {
    const task = {
      request: 'POST /${random.slug}',
      json: { n: '${random.int(1, 6)}', id: '${random.uuid}' },
    };
    expect(render(task, {}, 'one')).toBe(render(task, {}, 'one'));
    expect(render(task, {}, 'one')).not.toBe(render(task, {}, 'two'));
    const request = compileRequest(taskOf(task), TARGET, []);
    const values = { captures: new Map<string, JsonValue>(), prng: makePrng('one') };
    expect(request(values)).not.toEqual(request(values));
    expect(render(task)).toMatch(/\{"n":[1-6],"id":"[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });
});
