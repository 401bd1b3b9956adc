import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Principal, Role } from '../../domain/access.ts';
import type { AuditEntry } from '../../store/operations-store.ts';
import type { App } from '../app-types.ts';
import type { HttpDeps } from '../http-deps.ts';
import { Problem } from '../problems.ts';
import type { Limiters } from './rate-limits.ts';

const BEARER = /^Bearer ([\w-]{20,200})$/i;
/** Names under which people put tokens into addresses, where they end up in logs and histories. */
const TOKEN_PARAMETERS: ReadonlySet<string> = new Set([
  'token',
  'access_token',
  'auth',
  'authorization',
  'api_key',
  'apikey',
  'key',
]);
const ASSAY_TOKEN = /assay_(?:admin|reviewer|candidate)_/;

/** What stands in the store for a token: its sha256, hex. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * Finds out who calls and whether they may. Every route must say who may call it: one that does not is refused when
 * it is registered, so it cannot exist.
 */
export function registerAccess(app: App, deps: HttpDeps, limiters: Limiters): void {
  app.decorateRequest('principal', null);
  app.addHook('onRoute', (route) => {
    if (route.config?.access === undefined) {
      throw new Error(`the route ${String(route.method)} ${route.url} does not say who may call it`);
    }
  });
  app.addHook('onRequest', async (request) => {
    await limiters.perAddress.count(request);
    refuseTokenInUrl(request);
    const access = request.routeOptions.config.access;
    if (access === undefined || access === 'public') {
      return;
    }
    request.principal = await authenticate(request, deps, limiters);
    await limiters.perToken.count(request);
    if (!access.includes(request.principal.role)) {
      await auditDenied(deps, request.principal, request);
      throw new Problem('FORBIDDEN', `This call is for ${access.join(' and ')}.`);
    }
  });
}

async function authenticate(request: FastifyRequest, deps: HttpDeps, limiters: Limiters): Promise<Principal> {
  await limiters.refusedTokens.peek(request);
  // The store looks a hash up by equality: how long that takes tells nothing about any token.
  const hash = tokenHashOf(request);
  const principal = hash === '' ? undefined : await deps.store.access.authenticate(hash);
  if (principal === undefined) {
    await limiters.refusedTokens.count(request);
    throw new Problem('TOKEN_REQUIRED', 'Send a valid token as "Authorization: Bearer …".');
  }
  return principal;
}

function refuseTokenInUrl(request: FastifyRequest): void {
  const query = request.query as Record<string, unknown>;
  const named = Object.keys(query).some((name) => TOKEN_PARAMETERS.has(name.toLowerCase()));
  if (named || ASSAY_TOKEN.test(request.url)) {
    const detail =
      'Addresses end up in logs. Send the token as "Authorization: Bearer …", and replace this one.';
    throw new Problem('TOKEN_IN_URL', detail);
  }
}

async function auditDenied(deps: HttpDeps, principal: Principal, request: FastifyRequest): Promise<void> {
  await deps.store.audit.add({
    ...actorOf(principal),
    action: 'call.denied',
    object: `${request.method} ${request.routeOptions.url ?? ''}`,
    details: { role: principal.role },
  });
}

/** The log is never changed: a name in it could not be forgotten, so candidates go by their role. */
export function actorOf({ tokenId, role, name }: Principal): Pick<AuditEntry, 'actorId' | 'actor'> {
  return { actorId: tokenId, actor: role === 'candidate' ? 'candidate' : name };
}

/** Hash of the token that was sent; empty without one. */
export function tokenHashOf(request: FastifyRequest): string {
  const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
  return token === undefined ? '' : hashToken(token);
}

/** Who calls, on a route that is not public. */
export function callerOf(request: FastifyRequest): Principal {
  if (request.principal === null) {
    throw new Error('a public route asked who calls');
  }
  return request.principal;
}

/** The same, with the invitation that candidates have. */
export function candidateOf(request: FastifyRequest): Principal & { invitationId: string } {
  const principal = callerOf(request);
  if (principal.invitationId === null) {
    throw new Problem('FORBIDDEN', 'This call is for candidates.');
  }
  return { ...principal, invitationId: principal.invitationId };
}

export const STAFF: readonly Role[] = ['admin', 'reviewer'];
export const ADMIN: readonly Role[] = ['admin'];
export const CANDIDATE: readonly Role[] = ['candidate'];
export const EVERYONE: readonly Role[] = ['admin', 'reviewer', 'candidate'];
