import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../src/domain/json-value.ts';
import { makePrng } from '../../shared/prng.ts';
import { compileCheck, keptBodyBytes } from '../response-check.ts';
import { ResponseParser } from '../response-parser.ts';
import { taskOf } from './plan-of.ts';

const CAPTURE = [{ request: 'POST /', capture: { code: '$.code' } }];

function check(
  task: Record<string, unknown>,
  response: { status?: number; headers?: string; body?: string },
  captures = new Map<string, JsonValue>(),
): string | undefined {
  const { status = 200, headers = '', body = '' } = response;
  const request = taskOf({ request: 'GET /', ...task }, CAPTURE);
  const parser = new ResponseParser(10_000_000);
  parser.begin(false, keptBodyBytes(request));
  const bytes = Buffer.from(
    `HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  expect(parser.feed(bytes, 0, bytes.length)).toBe('complete');
  return compileCheck(request)(parser, { captures, prng: makePrng('') });
}

describe('a response', () => {
  test('without expectations passes below 400', () => {
    expect([check({}, {}), check({}, { status: 302 })]).toEqual([undefined, undefined]);
    expect(check({}, { status: 500 })).toBe('expected status below 400, got 500');
  });

  test('has one of the expected statuses', () => {
    const expected = { expect: { status: [201, '3xx'] } };
    expect([check(expected, { status: 201 }), check(expected, { status: 307 })]).toEqual([
      undefined,
      undefined,
    ]);
    expect(check(expected, { status: 200 })).toBe('expected status 201 or 300-399, got 200');
  });

  test('has the expected headers', () => {
    const expected = { expect: { headers: { Location: { $matches: '^/' } } } };
    expect(check(expected, { headers: 'location: /a\r\n' })).toBeUndefined();
    expect(check(expected, { headers: 'location: x\r\n' })).toContain('header location');
    expect(check(expected, {})).toContain('missing');
  });

  test('has the expected JSON, exactly or in part, captures filled in', () => {
    const captures = new Map<string, JsonValue>([['code', 'abc']]);
    const partial = { expect: { json: { $partial: { code: '${code}' } } } };
    expect(check(partial, { body: '{"code":"abc","x":1}' }, captures)).toBeUndefined();
    expect(check(partial, { body: '{"code":"abd","x":1}' }, captures)).toContain('$.code');
    expect(check({ expect: { json: { a: 1 } } }, { body: '{"a":1,"b":2}' })).toContain('unexpected key "b"');
    expect(check(partial, { body: '{"code":' }, captures)).toBe('expected a JSON body');
    expect(check(partial, { body: '' }, captures)).toBe('expected a JSON body');
  });

  test('that is hostile is a failure and nothing worse', () => {
    const expected = { expect: { json: { a: 1 } } };
    expect(check(expected, { body: '['.repeat(200_000) })).toBe('expected a JSON body');
    expect(check(expected, { body: `${'['.repeat(100_000)}${']'.repeat(100_000)}` })).toBeTypeOf('string');
    expect(check(expected, { body: `"${'x'.repeat(300_000)}"` })).toContain('at most 262144 bytes');
    expect(check(expected, { body: '{"__proto__":{"a":1}}' })).toBeTypeOf('string');
    expect(check(expected, { body: `{"${'k'.repeat(5000)}":1}` })?.length).toBeLessThanOrEqual(160);
  });

  test('gives captures from its body and its headers', () => {
    const captures = new Map<string, JsonValue>();
    const task = { capture: { id: '$.items[1].id', at: 'header:Location' } };
    const response = { headers: 'LOCATION: /x\r\n', body: '{"items":[{},{"id":7}]}' };
    expect(check(task, response, captures)).toBeUndefined();
    expect(Object.fromEntries(captures)).toEqual({ id: 7, at: '/x' });
  });

  test.each([
    '{}',
    '{"items":{"1":{}}}',
    '{"items":[0,{"id":{}}]}',
    '{"items":[0,{"id":null}]}',
    '"text"',
    'null',
  ])('without the value to capture fails: %s', (body) => {
    expect(check({ capture: { id: '$.items[1].id' } }, { body })).toBe(
      'expected a value to keep as "id", found none',
    );
  });

  test('captures no endless values', () => {
    const task = { capture: { id: '$.id' } };
    expect(check(task, { body: JSON.stringify({ id: 'x'.repeat(3000) }) })).toContain('at most 2048');
  });

  test('captures nothing when it is wrong', () => {
    const captures = new Map<string, JsonValue>();
    check({ capture: { id: '$.id' }, expect: { status: 201 } }, { body: '{"id":1}' }, captures);
    expect(captures.size).toBe(0);
  });
});
