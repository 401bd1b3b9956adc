import type { FastifyRequest } from 'fastify';
import type { HttpDeps } from './http-deps.ts';
import { callerOf } from './plugins/access.ts';

/** Notes who did what to which object. Details must hold no secret. */
export async function audit(
  deps: HttpDeps,
  request: FastifyRequest,
  action: string,
  object: string,
  details: object = {},
): Promise<void> {
  const caller = callerOf(request);
  await deps.store.audit.add({ actorId: caller.tokenId, actor: caller.name, action, object, details });
}
