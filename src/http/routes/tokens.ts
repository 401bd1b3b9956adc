import { z } from 'zod';
import type { Token } from '../../store/access-store.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { newToken } from '../new-token.ts';
import { ADMIN } from '../plugins/access.ts';
import { notFound, Problem } from '../problems.ts';
import { Flag, IdParams, Line, Moment, PageQuery, pageOf, Slug } from '../schemas/common.ts';
import { iso, isoOrNull } from '../schemas/time.ts';

const TokenBody = z
  .object({
    id: z.string(),
    role: z.enum(['admin', 'reviewer', 'candidate']),
    name: z.string(),
    invitationId: z.string().nullable(),
    challenges: z.array(z.string()).nullable().describe('Slugs a reviewer may see; null = all'),
    createdAt: z.string(),
    expiresAt: z.string().nullable(),
    revokedAt: z.string().nullable(),
    lastUsedAt: z.string().nullable(),
  })
  .meta({ id: 'Token' });

const Challenges = z.array(Slug).max(500).nullable();

const NewTokenBody = z.strictObject({
  role: z.enum(['admin', 'reviewer']),
  name: Line,
  challenges: Challenges.default(null),
  expiresAt: Moment.nullable().default(null),
});

/** Tokens of staff. Those of candidates come with their invitations. */
export function tokenRoutes(app: App, deps: HttpDeps): void {
  createRoute(app, deps);
  app.get(
    '/v1/tokens',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Tokens without their secrets, newest first; with candidates=true also those of invitations',
        querystring: PageQuery.extend({ candidates: Flag.default(false) }),
        response: { 200: pageOf(TokenBody) },
      },
    },
    async (request) => {
      const { candidates, limit, cursor } = request.query;
      const page = await deps.store.access.listTokens(
        { candidates },
        { limit, ...(cursor === undefined ? {} : { cursor }) },
      );
      return { items: page.items.map(toTokenBody), nextCursor: page.nextCursor };
    },
  );
  app.delete(
    '/v1/tokens/:id',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Revoke a token, from its next request on',
        params: IdParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const revoked = await audited(
        deps,
        request,
        (store) => store.access.revokeToken(id),
        () => ['token.revoke', `token ${id}`],
      );
      if (!revoked) {
        throw notFound('token');
      }
      return await reply.code(204).send();
    },
  );
  grantRoute(app, deps);
}

function createRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/tokens',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Make a token for an admin or a reviewer; the secret is shown this once',
        body: NewTokenBody,
        response: { 201: TokenBody.extend({ token: z.string() }) },
      },
    },
    async (request, reply) => {
      const { role, name, challenges, expiresAt } = request.body;
      if (role === 'admin' && challenges !== null) {
        throw new Problem('INVALID_FIELDS', 'Admins see every challenge; leave "challenges" out.');
      }
      const { token, hash } = newToken(role);
      const expires = expiresAt === null ? null : new Date(expiresAt);
      const added = await audited(
        deps,
        request,
        (store) => store.access.addToken({ role, name, hash, challenges, expiresAt: expires }),
        ({ id }) => ['token.create', `token ${id}`, { role, name }],
      );
      return await reply.code(201).send({ ...toTokenBody(added), token });
    },
  );
}

function grantRoute(app: App, deps: HttpDeps): void {
  app.put(
    '/v1/tokens/:id/challenges',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Say which challenges a reviewer may see (null: all), from their next request on',
        params: IdParams,
        body: z.strictObject({ challenges: Challenges }),
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { challenges } = request.body;
      const granted = await audited(
        deps,
        request,
        (store) => store.access.setReviewerChallenges(id, challenges),
        () => ['token.grant', `token ${id}`, { challenges }],
      );
      if (!granted) {
        throw notFound('token of a reviewer');
      }
      return await reply.code(204).send();
    },
  );
}

function toTokenBody(token: Token): z.output<typeof TokenBody> {
  return {
    id: token.id,
    role: token.role,
    name: token.name,
    invitationId: token.invitationId,
    challenges: token.challenges,
    createdAt: iso(token.createdAt),
    expiresAt: isoOrNull(token.expiresAt),
    revokedAt: isoOrNull(token.revokedAt),
    lastUsedAt: isoOrNull(token.lastUsedAt),
  };
}
