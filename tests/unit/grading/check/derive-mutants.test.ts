import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { SeenCheck, SeenExchange } from '../../../../src/domain/mutation.ts';
import { templateOf } from '../../../../src/domain/path-template.ts';
import { deriveMutants } from '../../../../src/grading/check/mutants/derive-mutants.ts';
import { mutationResult } from '../../../../src/grading/check/mutants/mutation-result.ts';
import { openApiFacts } from '../../../../src/grading/check/mutants/openapi-facts.ts';
import { clusterPaths } from '../../../../src/grading/check/mutants/operations.ts';

const facts = openApiFacts(parse(readFileSync('challenge-specs/url-shortener/openapi.yaml', 'utf8')));
const link = {
  code: 'a1b2c3',
  url: 'https://x',
  visits: 0,
  createdAt: '2026-01-01T00:00:00Z',
  expiresAt: null,
};

function seen(
  request: string,
  status: number,
  body: unknown,
  more: Partial<SeenExchange> = {},
): SeenExchange {
  const [method = '', url = ''] = request.split(' ');
  return {
    method,
    url,
    requestHeaders: [],
    requestBody: '',
    status,
    headers: [
      ['Content-Type', 'application/json'],
      ['Date', 'today'],
      ['Server', 'x'],
    ],
    body: body === undefined ? '' : JSON.stringify(body),
    overlapped: false,
    ...more,
  };
}

function checkOf(id: string, durationMs: number, ...exchanges: SeenExchange[]): SeenCheck {
  return { id, passed: true, durationMs, exchanges };
}

function idsOf(checks: SeenCheck[]): string[] {
  return deriveMutants(checks, facts.templates, facts, []).map((mutant) => mutant.id);
}

describe('deriveMutants', () => {
  const error = { error: { code: 'not_found', message: 'There is no such link.' } };
  const create = seen('POST /links', 201, link, {
    requestBody: '{"url":"https://x","alias":"abc","note":1}',
    headers: [
      ['Content-Type', 'application/json'],
      ['Location', '/a1b2c3'],
    ],
    overlapped: true,
  });

  it('knows what a status, a field, a header and a request part can be mistaken for', () => {
    const ids = idsOf([checkOf('one', 5, create)]);

    expect(ids).toEqual(
      expect.arrayContaining([
        'POST /links → 201 change-status 200',
        'POST /links → 201 drop-header location',
        'POST /links → 201 drop-field visits',
        'POST /links → 201 add-field',
        'POST /links ignore-member alias',
        'POST /links lose-concurrent-write',
        'POST /links swallow-write',
      ]),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('does not ask for what no client may rely on', () => {
    const mutants = deriveMutants(
      [
        checkOf(
          'one',
          5,
          create,
          seen('GET /links/zzz', 404, error),
          seen('DELETE /links/a1b2c3', 204, undefined),
        ),
      ],
      facts.templates,
      facts,
      [],
    );
    const ids = mutants.map((mutant) => mutant.id);

    expect(ids.filter((id) => /date|server|ignore-member note/.test(id))).toEqual([]);
    // An error may have more members than those that the document names.
    expect(ids).not.toContain('GET /links/{code} → 404 add-field');
    const reasons = new Map(mutants.map((mutant) => [mutant.id, mutant.reason]));
    expect(reasons.get('GET /links/{code} → 404 change-value error.message')).toMatch(/for people/);
    expect(reasons.get('DELETE /links/{code} duplicate')).toMatch(/idempotent/);
    expect(reasons.get('POST /links delay 1000')).toMatch(/No suite limits/);
  });

  it('leaves to a problem document what its specification leaves to it', () => {
    const inventory = openApiFacts(parse(readFileSync('challenge-specs/inventory/openapi.yaml', 'utf8')));
    const problem = {
      type: '/problems/x',
      title: 'Not so.',
      status: 422,
      code: 'validation_failed',
      detail: 'x',
      errors: [
        { field: 'name', message: 'Too long.' },
        { field: 'stock', message: 'Too few.' },
      ],
    };
    const mutants = deriveMutants(
      [
        checkOf(
          'one',
          5,
          seen('POST /items', 422, problem, { headers: [['Content-Type', 'application/problem+json']] }),
        ),
      ],
      inventory.templates,
      inventory,
      [],
    );
    const reasons = new Map(mutants.map(({ id, reason }) => [id.replace('POST /items → 422 ', ''), reason]));

    expect(reasons.get('change-value type')).toMatch(/RFC 9457/);
    expect(reasons.get('drop-field detail')).toMatch(/does not require/);
    expect(reasons.get('reorder-list errors')).toMatch(/order/);
    for (const id of [
      'drop-field type',
      'change-type detail',
      'change-value code',
      'drop-field errors.*.message',
    ]) {
      expect(reasons.has(id), id).toBe(true);
      expect(reasons.get(id), id).toBeUndefined();
    }
  });

  it('names the checks that meet the operation, the quickest first, and none that fails anyway', () => {
    const failing = { ...checkOf('failing', 1, create), passed: false };
    const [mutant] = deriveMutants(
      [checkOf('slow', 90, create), failing, checkOf('quick', 5, create, create)],
      facts.templates,
      facts,
      [],
    );

    expect(mutant?.checks).toEqual(['quick', 'slow']);
  });

  it('reorders lists that had an order to lose', () => {
    const one = idsOf([checkOf('one', 5, seen('GET /links', 200, { links: [link], nextCursor: null }))]);
    const two = idsOf([
      checkOf('one', 5, seen('GET /links', 200, { links: [link, link], nextCursor: null })),
    ]);

    expect(one).not.toContain('GET /links → 200 reorder-list links');
    expect(two).toContain('GET /links → 200 reorder-list links');
  });
});

describe('mutationResult', () => {
  it('counts, explains survivors, and leaves out what never made a difference', () => {
    const mutants = deriveMutants(
      [checkOf('one', 5, seen('GET /health', 200, { status: 'ok' }))],
      facts.templates,
      facts,
      [],
    );
    const tried = mutants.filter((mutant) => mutant.reason === undefined);
    const outcomes = new Map(
      tried.map(({ id }, index) => [
        id,
        { id, killedBy: index > 1 ? 'one' : null, applied: index !== 1, doubtful: false, message: '' },
      ]),
    );
    const result = mutationResult(mutants, outcomes);

    expect(result.killed).toBe(tried.length - 2);
    expect(result.total).toBe(tried.length - 1);
    expect(result.survivors).toMatchObject([{ id: tried[0]?.id, advice: expect.stringMatching(/\.$/) }]);
    expect(result.meaningless.map(({ id }) => id)).toContain(tried[1]?.id);
  });
});

describe('paths', () => {
  it('takes the template with the most fixed segments', () => {
    const found = ['/links', '/links?limit=1', '/abc', '/links/abc', '/', '/a/b/c'].map((path) =>
      templateOf(path, facts.templates),
    );

    expect(found).toEqual(['/links', '/links', '/{code}', '/links/{code}', '(other path)', '(other path)']);
  });

  it('finds templates in traffic when no document names them', () => {
    const paths = ['/items', '/items/1', '/items/27', '/items/27/tags', '/health', '/nowhere'];
    const exchanges = paths.map((path) => seen(`GET ${path}`, path === '/nowhere' ? 404 : 200, {}));

    expect(clusterPaths([checkOf('one', 1, ...exchanges)])).toEqual([
      '/health',
      '/items',
      '/items/{}',
      '/items/{}/tags',
    ]);
  });
});
