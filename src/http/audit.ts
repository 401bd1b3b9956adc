import type { FastifyRequest } from 'fastify';
import type { Changes, Store } from '../store/store.ts';
import type { HttpDeps } from './http-deps.ts';
import { actorOf, callerOf } from './plugins/access.ts';

/** Notes who did what to which object. Details must hold no secret, and no name of a candidate. */
export async function audit(
  { audit: log }: Pick<Store, 'audit'>,
  request: FastifyRequest,
  action: string,
  object: string,
  details: object = {},
): Promise<void> {
  await log.add({ ...actorOf(callerOf(request)), action, object, details });
}

/** Action, object and details of an entry. */
type Note = readonly [action: string, object: string, details?: object];

/**
 * Makes a change and notes it, both or neither. A change that answers `false` or `undefined` did nothing and is not
 * noted. `change` may be called again, and must not throw problems.
 */
export async function audited<T>(
  { store }: Pick<HttpDeps, 'store'>,
  request: FastifyRequest,
  change: (changes: Changes) => Promise<T>,
  note: (done: Exclude<T, false | undefined>) => Note,
): Promise<T> {
  return await store.together(async (changes) => {
    const done = await change(changes);
    if (done !== false && done !== undefined) {
      await audit(changes, request, ...note(done as Exclude<T, false | undefined>));
    }
    return done;
  });
}
