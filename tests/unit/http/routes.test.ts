import { readdirSync, readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
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

/** What the router itself says it has, read from its tree: "├── /runs (GET, POST)", four columns a level. */
function routesOf(tree: string): string[] {
  const parents: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent, part, methods] = /^([│ ]*)[├└]── (\S+)(?: \((.+)\))?$/.exec(line) ?? [];
    if (indent === undefined || part === undefined) {
      return [];
    }
    const depth = indent.length / 4;
    const path = `${depth === 0 ? '' : parents[depth - 1]}${part}`;
    parents[depth] = path;
    const named = path.replaceAll(/:(\w+)/g, '{$1}');
    return (methods ?? '').split(', ').flatMap((method) => (method === '' ? [] : `${method} ${named}`));
  });
}

function schemasIn(part: unknown): object[] {
  if (typeof part !== 'object' || part === null) {
    return [];
  }
  return Object.entries(part).flatMap(([key, value]) =>
    key === 'schema' ? [value as object] : schemasIn(value),
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
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(document as unknown as Record<string, unknown>);

    expect(errors ?? []).toEqual([]);
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('is of a kind whose faults the validator finds', async () => {
    const operation = { ...document.paths['/v1/me']?.['get'], responses: undefined };
    const planted = { ...document, paths: { '/v1/me': { get: { ...operation, tags: 'candidate' } } } };
    const { valid } = await new Validator().validate(JSON.parse(JSON.stringify(planted)) as object as never);

    expect(valid).toBe(false);
  });

  it('has every route that the router has, and so has the page for people', async () => {
    const page = (await app.inject('/docs')).body;
    const described = operations().map(({ method, path }) => `${method} ${path}`);

    expect(described.toSorted()).toEqual(routesOf(app.printRoutes({ commonPrefix: false })).toSorted());
    for (const { method, path } of operations()) {
      expect(page).toContain(`<span class="method">${method}</span> <code>${path}</code>`);
    }
  });

  it('has only schemas that JSON Schema 2020-12 knows', () => {
    const ajv = new Ajv2020({ validateFormats: false });
    const schemas = [...Object.values(document.components.schemas), ...schemasIn(document.paths)] as object[];

    expect(schemas.length).toBeGreaterThan(100);
    for (const schema of schemas) {
      expect(ajv.validateSchema(schema), JSON.stringify([schema, ajv.errors])).toBe(true);
    }
  });

  it('describes every call, its parameters and its errors', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    for (const { path, operation } of operations()) {
      const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
      const named = (operation.parameters ?? []).filter((one) => one.in === 'path').map(({ name }) => name);

      expect(operation.summary, path).toBeTruthy();
      expect(operation.tags, path).not.toEqual([]);
      expect(named.toSorted(), path).toEqual(inPath.toSorted());
      expect(Object.keys(operation.responses), path).toContainEqual(expect.stringMatching(/^2\d\d$/));
      expect(operation.responses['default']?.content, path).toHaveProperty('application/problem+json');
    }
  });

  it.each([
    ['/v1/submissions', 'archive'],
    ['/v1/challenges', 'bundle'],
  ])('says that %s takes a file in the field "%s"', (path, field) => {
    expect(document.paths[path]?.['post']).toMatchObject({
      requestBody: { content: { 'multipart/form-data': { schema: { required: [field] } } } },
    });
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

  it('names every code with which a submission is refused', async () => {
    const { body } = await app.inject('/docs');
    const folder = 'src/grading';
    // What plan-build refuses is found by a worker, and stands in a report.
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts') && name !== 'plan-build.ts');
    const codes = files.flatMap((name) =>
      [...readFileSync(`${folder}/${name}`, 'utf8').matchAll(/new IntakeError\(\s*'([A-Z_]+)'/g)].map(
        (match) => match[1]!,
      ),
    );

    expect(codes.length).toBeGreaterThan(5);
    for (const code of codes) {
      expect(body).toContain(`<tr id="${code}">`);
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
