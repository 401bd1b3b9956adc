import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Principal, Role } from '../domain/access.ts';

/** Who may call a route. Every route names it; `public` needs no token. */
export type Access = 'public' | readonly Role[];

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access;
    /** Takes one file, in the multipart field of this name. */
    upload?: 'archive' | 'bundle';
  }
  interface FastifyRequest {
    /** Who calls; null on public routes only. */
    principal: Principal | null;
  }
}

/** The application as route files see it: schemas are zod's. */
export type App = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  ZodTypeProvider
>;
