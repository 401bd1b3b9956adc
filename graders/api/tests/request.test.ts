import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { RequestStepSchema } from '../../../src/domain/api-suite-step.ts';
import type { JsonValue } from '../../../src/domain/json-value.ts';
import { DEFAULT_HEADERS } from '../../shared/default-headers.ts';
import { makePrng } from '../../shared/prng.ts';
import { buildRequest } from '../build-request.ts';
import { toCurl } from '../curl.ts';
import { CheckFailure, SuiteFault } from '../failures.ts';
import type { HttpRequest } from '../http-types.ts';
import { randomValue } from '../random-value.ts';
import { expandExpected, expandPath, expandText, expandTyped, expandValue } from '../template.ts';
import type { Scope } from '../template.ts';

const TARGET = { address: '127.0.0.1', port: 8080 };

function scopeOf(variables: Record<string, JsonValue> = {}, seed = 's'): Scope {
  return {
    variables: new Map(Object.entries(variables)),
    parent: undefined,
    prng: makePrng(seed),
    index: undefined,
  };
}

function build(step: object, variables: Record<string, JsonValue> = {}): HttpRequest {
  return buildRequest(
    RequestStepSchema.parse(step),
    scopeOf(variables),
    TARGET,
    Object.entries(DEFAULT_HEADERS),
  );
}

describe('templates', () => {
  const scope = scopeOf({ code: 'a/b', list: [1, { x: 'y' }], n: 5, quote: `it's "x"\\` });

  it('keep the type of a value that stands alone, and write it out inside a text', () => {
    expect(expandTyped('${list}', scope)).toEqual([1, { x: 'y' }]);
    expect(expandTyped('${list[1].x}', scope)).toBe('y');
    expect(expandTyped('n=${n} ${list}', scope)).toBe('n=5 [1,{"x":"y"}]');
    expect(expandTyped('$${n} costs $5 {n} ${n}', scope)).toBe('${n} costs $5 {n} 5');
  });

  it('reach keys, and lists of any depth', () => {
    expect(expandValue({ '${code}': [{ a: '${n}' }] }, scope)).toEqual({ 'a/b': [{ a: 5 }] });
    expect(expandValue({ a: { $repeat: { text: 'ab', times: 3 } }, b: { $repeat: 1 } }, scope)).toEqual({
      a: 'ababab',
      b: { $repeat: 1 },
    });
  });

  it('do not set a prototype', () => {
    const value = expandValue(JSON.parse('{"__proto__":{"x":1}}') as JsonValue, scope) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(Object.keys(value)).toEqual(['__proto__']);
  });

  it('escape what they put into patterns and paths', () => {
    const special = scopeOf({ v: 'a.b*(c)/[d]' });
    const { $matches } = expandExpected({ $matches: '^${v}$' }, special) as { $matches: string };
    expect(new RegExp($matches, 'u').test('a.b*(c)/[d]')).toBe(true);
    expect(new RegExp($matches, 'u').test('axb*(c)/[d]')).toBe(false);
    expect(expandPath("$[?@.a == '${quote}']", scope)).toBe(
      String.raw`$[?@.a == 'it\u0027s \u0022x\u0022\\']`,
    );
  });

  it('tell a wrong value of the service from a mistake of the suite', () => {
    expect(() => expandText('${list.nope}', scope)).toThrow(CheckFailure);
    expect(() => expandText('${n.x}', scope)).toThrow(CheckFailure);
    expect(() => expandText('${nope}', scope)).toThrow(SuiteFault);
  });

  it('draw equal values from equal seeds only', () => {
    const text = '${random.slug} ${random.int} ${random.word} ${random.email} ${random.uuid}';
    expect(expandText(text, scopeOf({}, 'a'))).toBe(expandText(text, scopeOf({}, 'a')));
    expect(expandText(text, scopeOf({}, 'a'))).not.toBe(expandText(text, scopeOf({}, 'b')));
  });

  it('draw values of the promised shape', () => {
    const prng = makePrng('x');
    for (let turn = 0; turn < 200; turn += 1) {
      expect(randomValue('slug', [], prng)).toMatch(/^[a-z][a-z0-9]{9}$/);
      expect(randomValue('slug', [1], prng)).toMatch(/^[a-z]$/);
      expect(randomValue('int', [3, 5], prng)).toSatisfy((n: number) => [3, 4, 5].includes(n));
      expect(randomValue('uuid', [], prng)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
      expect(randomValue('email', [], prng)).toMatch(/^[a-z]+\.[a-z0-9]{8}@example\.com$/);
    }
  });
});

describe('buildRequest', () => {
  it('sends plain headers that do not tell who asks', () => {
    const { headers } = build({ request: 'POST /links', json: { a: 1 } });
    expect(headers).toEqual([
      ['host', 'localhost:8080'],
      ['accept', '*/*'],
      ['accept-encoding', 'identity'],
      ['user-agent', 'node'],
      ['content-type', 'application/json'],
      ['content-length', '7'],
    ]);
  });

  it('lets the suite replace, repeat and leave out headers', () => {
    const { headers } = build({
      request: 'POST /',
      text: 'é',
      headers: { 'Content-Type': 'a/b', Accept: null, 'x-a': ['1', 'é'] },
    });
    const names = headers.map(([name]) => name);
    expect(names).not.toContain('accept');
    expect(headers.filter(([name]) => name.toLowerCase() === 'content-type')).toEqual([
      ['Content-Type', 'a/b'],
    ]);
    expect(
      headers.filter(([name]) => name === 'x-a').map(([, value]) => Buffer.from(value, 'latin1').toString()),
    ).toEqual(['1', 'é']);
    expect(headers).toContainEqual(['content-length', '2']);
  });

  it.each([
    ['/a b?x=ü#f', '/a%20b?x=%C3%BC'],
    ['/a/../b/./c%2Fd', '/a/../b/./c%2Fd'],
    ['http://localhost:8080/x?y=1#f', '/x?y=1'],
    ['http://127.0.0.1:8080', '/'],
    ['http://[::1]:8080/x', '/x'],
    ['relative/x', '/relative/x'],
  ])('makes the path of %s', (address, path) => {
    expect(build({ request: 'GET ${to}' }, { to: address }).path).toBe(path);
  });

  it('encodes the query', () => {
    const { path } = build(
      { request: 'GET /s?a=1', query: { q: 'x&y=z ü', n: 5, l: ['${v}', true] } },
      { v: '/' },
    );
    expect(path).toBe('/s?a=1&q=x%26y%3Dz%20%C3%BC&n=5&l=%2F&l=true');
  });

  it('makes every kind of body', () => {
    const form = build({ request: 'POST /', form: { a: 'x y', b: '${n}' } }, { n: 5 });
    expect(form.body?.toString()).toBe('a=x+y&b=5');
    const multipart = build({
      request: 'POST /',
      multipart: { 'a"b': { text: 'x' }, f: { base64: '/w==', filename: 'n.bin' } },
    });
    const boundary =
      /boundary=(.+)/.exec(multipart.headers.find(([name]) => name === 'content-type')?.[1] ?? '')?.[1] ?? '';
    expect(multipart.body?.toString('latin1')).toBe(
      `--${boundary}\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\nx\r\n` +
        `--${boundary}\r\nContent-Disposition: form-data; name="f"; filename="n.bin"\r\nContent-Type: application/octet-stream\r\n\r\n\xFF\r\n` +
        `--${boundary}--\r\n`,
    );
    expect(build({ request: 'POST /', base64: 'AP8=' }).body).toEqual(Buffer.from([0, 255]));
    expect(build({ request: 'POST /', bytes: { repeat: { text: 'ab', times: 3 } } }).body?.toString()).toBe(
      'ababab',
    );
    expect(build({ request: 'POST /', bytes: { random: '1KiB' } }).body).toHaveLength(1024);
    expect(build({ request: 'POST /' }).headers).toContainEqual(['content-length', '0']);
    expect(build({ request: 'GET /' }).headers.map(([name]) => name)).not.toContain('content-length');
  });
});

describe('toCurl', () => {
  const ORIGIN = 'http://localhost:8080';

  it('leaves out what curl does by itself', () => {
    expect(toCurl(build({ request: 'GET /a' }), ORIGIN)).toBe('curl -sS -i http://localhost:8080/a');
    expect(toCurl(build({ request: 'POST /a', json: { a: "it's" } }), ORIGIN)).toBe(
      String.raw`curl -sS -i -X POST http://localhost:8080/a -H 'content-type: application/json' --data-binary '{"a":"it'\''s"}'`,
    );
  });

  it('keeps what a step asks for, also where clients have a default of their own', () => {
    expect(toCurl(build({ request: 'GET /a', headers: { Accept: 'text/csv' } }), ORIGIN)).toBe(
      "curl -sS -i http://localhost:8080/a -H 'Accept: text/csv'",
    );
    expect(toCurl(build({ request: 'GET /a', decompress: true }), ORIGIN)).toBe(
      'curl -sS -i http://localhost:8080/a --compressed',
    );
  });

  it.each([
    ['quotes and dollars', { request: 'POST /a?b=$(id)&c=`x`', text: `it's "q" $HOME \`id\` !x \\ ü` }],
    ['line breaks and control characters', { request: 'POST /', text: 'a\r\n\tb\u001B[31m\u0007c' }],
    ['bytes', { request: 'POST /', base64: '/wEKDQ==' }],
    ['no content type', { request: 'POST /', text: 'x', headers: { 'content-type': null } }],
  ])('survives a shell: %s', (_what, step) => {
    const request = build(step);
    const line = toCurl(request, ORIGIN);
    // A stand-in for curl prints its arguments and its input.
    const script = `curl() { for a in "$@"; do printf '%s\\0' "$a"; done; if [ "\${@: -1}" = @- ]; then cat; fi; }; ${line}`;
    const words = execFileSync('bash', ['-c', script]).toString('latin1').split('\0');
    expect(words).toContain(ORIGIN + request.path);
    expect(words.some((word) => word === request.body?.toString('latin1'))).toBe(true);
  });

  it('names a file for a body that is too long', () => {
    const line = toCurl(build({ request: 'POST /', bytes: { repeat: { text: 'x', times: 5000 } } }), ORIGIN);
    expect(line).toContain('--data-binary @body.bin  # a body of 5000 bytes');
    expect(line.length).toBeLessThan(300);
  });
});
