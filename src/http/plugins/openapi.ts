import { STATUS_CODES } from 'node:http';
import swagger from '@fastify/swagger';
import type { SwaggerTransform } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { App } from '../app-types.ts';
import { DOCS_POLICY, renderDocs } from '../pages/docs.ts';
import type { OpenApiDocument } from '../pages/docs.ts';
import { fileAnswer, ProblemSchema } from '../schemas/common.ts';

const PROBLEM_RESPONSE = {
  description: 'What went wrong, as a problem document',
  content: { 'application/problem+json': { schema: ProblemSchema } },
};

/** The OpenAPI document of every route that is registered after this. Call before the routes. */
export async function registerOpenApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.1',
      info: {
        title: 'assay',
        version,
        description: 'Grades take-home challenges: submissions in, reports out.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'candidate', description: 'Hand in and follow' },
        { name: 'reviewer', description: 'Read, compare and review' },
        { name: 'admin', description: 'Challenges, people and machines' },
        { name: 'operations', description: 'Health and metrics' },
      ],
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    },
    transform: describeRoute,
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document)),
  });
}

/** The document as JSON, and as a page for people that asks nothing of other servers. */
export function openApiRoutes(app: App): void {
  app.get(
    '/openapi.json',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operations'],
        summary: 'This document',
        response: fileAnswer('OpenAPI 3.1', 'application/json'),
      },
    },
    async (_request, reply) => await reply.type('application/json').send(JSON.stringify(app.swagger())),
  );
  app.get(
    '/docs',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operations'],
        summary: 'This document, for people',
        response: fileAnswer('A page', 'text/html'),
      },
    },
    async (_request, reply) =>
      await reply
        .header('content-security-policy', DOCS_POLICY)
        .type('text/html; charset=utf-8')
        .send(renderDocs(app.swagger() as OpenApiDocument)),
  );
}

/** Adds to each route what all share: problem documents, and whose token it takes; and the file it takes. */
function describeRoute(input: Parameters<SwaggerTransform>[0]): ReturnType<SwaggerTransform> {
  const { access = 'public', upload } = input.route.config ?? {};
  const described = {
    ...input.schema,
    response: { ...describeAnswers(input.schema.response), default: PROBLEM_RESPONSE },
    security: access === 'public' ? [] : [{ token: [] }],
    'x-access': access === 'public' ? 'public' : [...access],
  };
  const { schema, url } = jsonSchemaTransform({ ...input, schema: described } as Parameters<
    typeof jsonSchemaTransform
  >[0]);
  return { schema: upload === undefined ? schema : { ...schema, ...uploadBody(upload) }, url };
}

type Answers = Record<string, z.ZodType | { content: unknown }>;

/** JSON answers under the name of their status; those that describe themselves stay. */
function describeAnswers(answers: unknown): Answers {
  return Object.fromEntries(
    Object.entries((answers ?? {}) as Answers).map(([status, answer]) => {
      const description = STATUS_CODES[status] ?? 'Answer';
      if ('content' in answer) {
        return [status, answer];
      }
      return answer instanceof z.ZodUndefined
        ? [status, answer.describe(description)]
        : [status, { description, content: { 'application/json': { schema: answer } } }];
    }),
  );
}

function uploadBody(field: string): object {
  const properties = { [field]: { type: 'string', format: 'binary' } };
  return {
    consumes: ['multipart/form-data'],
    body: { type: 'object', properties, required: [field] },
  };
}

/** Every named schema comes as it is sent and as it is read; most are used in one way only. */
function withoutUnused<T extends { paths?: unknown; components?: { schemas?: object } }>(document: T): T {
  const all = Object.entries(document.components?.schemas ?? {});
  const used = new Set<string>();
  function use(part: unknown): void {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (!used.has(name)) {
        used.add(name);
        use(all.find(([known]) => known === name)?.[1] ?? null);
      }
    }
  }
  use(document.paths ?? null);
  const schemas = Object.fromEntries(all.filter(([name]) => used.has(name)));
  return { ...document, components: { ...document.components, schemas } };
}
