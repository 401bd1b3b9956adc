import Fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/http/app-types.ts';
import type { HttpDeps } from '../../../src/http/http-deps.ts';
import { registerAccess } from '../../../src/http/plugins/access.ts';
import type { Limiters } from '../../../src/http/plugins/rate-limits.ts';
import { bareApp } from '../../helpers/http-app.ts';

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, unknown> };
}

interface Operation {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: { name: string; in: string }[];
  responses: Record<string, { content?: Record<string, unknown> }>;
  'x-access': string | string[];
}

let app: App;
let document: OpenApi;
beforeAll(async () => {
  app = await bareApp({ refusedTokens: 100_000 });
  document = (await app.inject('/openapi.json')).json<OpenApi>();
});
afterAll(() => app.close());

function operations(): { method: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
}

const PUBLIC = ['/docs', '/healthz', '/openapi.json', '/readyz'];

describe('the table of routes', () => {
  it('names for every call who may make it', () => {
    const table = operations().map(
      ({ method, path, operation }) => `${method} ${path} ${[operation['x-access']].flat().join(' ')}`,
    );

    expect(table.toSorted()).toMatchSnapshot();
  });

  it('is open to everybody only where nothing is to be seen', () => {
    const open = operations().filter(({ operation }) => operation['x-access'] === 'public');

    expect(open.map(({ path }) => path).toSorted()).toEqual(PUBLIC);
    expect(open.every(({ method }) => method === 'GET')).toBe(true);
  });

  it('C01: refuses a route that does not say who may call it', async () => {
    const planted = Fastify() as unknown as App;
    registerAccess(planted, {} as HttpDeps, {} as Limiters);

    expect(() => planted.get('/planted', async () => 'open')).toThrow(
      'GET /planted does not say who may call it',
    );
    await planted.close();
  });

  it.each([
    '',
    'Bearer',
    'Bearer short',
    'Basic YTpi',
    `Bearer ${'x'.repeat(300)}`,
    'Bearer a b c d e f g h i j k l m',
  ])('C01: answers 401 on every call with the token "%s"', async (authorization) => {
    const guarded = operations().filter(({ operation }) => operation['x-access'] !== 'public');
    expect(guarded.length).toBeGreaterThan(40);

    for (const { method, path } of guarded) {
      const url = path.replace(/\{[^}]+\}/g, '1');
      const headers = authorization === '' ? {} : { authorization };
      const answer = await app.inject({ method: method as 'GET', url, headers });

      expect({ method, path, status: answer.statusCode }).toEqual({ method, path, status: 401 });
      expect(answer.json()).toMatchObject({ code: 'TOKEN_REQUIRED', status: 401 });
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    }
  });

  it('C20: has no way to change the audit log', () => {
    const methods = operations()
      .filter(({ path }) => path.includes('audit'))
      .map(({ method }) => method);

    expect(methods).toEqual(['GET']);
  });
});

describe('the OpenAPI document', () => {
  it('describes every call, its parameters and its errors', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
      const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name);

      expect(operation.summary, path).toBeTruthy();
      expect(operation.tags, path).not.toEqual([]);
      expect(named.toSorted(), path).toEqual(inPath.toSorted());
      expect(operation.responses['default']?.content, path).toHaveProperty('application/problem+json');
    }
  });

  it('refers to nothing that is not in it', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]!);

    expect(references.length).toBeGreaterThan(10);
    for (const reference of references) {
      const target = reference
        .replace('#/', '')
        .split('/')
        .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document);
      expect(target, reference).toBeDefined();
    }
  });

  it('is shown to people without a script, under a policy that allows none', async () => {
    const page = await app.inject('/docs');

    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(page.body).not.toMatch(/<script|\son\w+=|javascript:/i);
    for (const { path } of operations()) {
      expect(page.body).toContain(path.replaceAll('&', '&amp;'));
    }
  });
});
