import swagger from '@fastify/swagger';
import type { SwaggerTransform } from '@fastify/swagger';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Access, App } from '../app-types.ts';
import { DOCS_POLICY, renderDocs } from '../pages/docs.ts';
import type { OpenApiDocument } from '../pages/docs.ts';
import { ProblemSchema } from '../schemas/common.ts';

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
    transformObject: jsonSchemaTransformObject,
  });
}

/** The document as JSON, and as a page for people that asks nothing of other servers. */
export function openApiRoutes(app: App): void {
  app.get(
    '/openapi.json',
    { config: { access: 'public' }, schema: { tags: ['operations'], summary: 'This document' } },
    async (_request, reply) => await reply.type('application/json').send(JSON.stringify(app.swagger())),
  );
  app.get(
    '/docs',
    { config: { access: 'public' }, schema: { tags: ['operations'], summary: 'This document, for people' } },
    async (_request, reply) =>
      await reply
        .header('content-security-policy', DOCS_POLICY)
        .type('text/html; charset=utf-8')
        .send(renderDocs(app.swagger() as OpenApiDocument)),
  );
}

/** Adds to each route what all share: problem documents, and whose token it takes. */
function describeRoute(input: Parameters<SwaggerTransform>[0]): ReturnType<SwaggerTransform> {
  const access: Access = input.route.config?.access ?? 'public';
  const described = {
    ...input.schema,
    response: { ...(input.schema.response as object | undefined), default: PROBLEM_RESPONSE },
    security: access === 'public' ? [] : [{ token: [] }],
    'x-access': access === 'public' ? 'public' : [...access],
  };
  return jsonSchemaTransform({ ...input, schema: described } as Parameters<typeof jsonSchemaTransform>[0]);
}
