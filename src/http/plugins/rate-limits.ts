import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app-types.ts';
import type { HttpSettings } from '../http-settings.ts';
import { Problem } from '../problems.ts';

const WINDOW_MS = 60_000;
/** Keys remembered at once. */
const CACHE = 20_000;
const IPV6_SUBNET = 64;

/** Counts what one caller does, and throws TOO_MANY_REQUESTS past the limit. */
export interface Limiter {
  /** Counts one and checks. */
  count(request: FastifyRequest): Promise<void>;
  /** Checks without counting. */
  peek(request: FastifyRequest): Promise<void>;
}

export interface Limiters {
  perAddress: Limiter;
  perToken: Limiter;
  refusedTokens: Limiter;
}

/** Limits of this process, by address and by token. */
export async function registerRateLimits(app: App, settings: HttpSettings): Promise<Limiters> {
  await app.register(rateLimit, { global: false, cache: CACHE });
  return {
    perAddress: makeLimiter(app, settings.perAddress, (request) => `address ${networkOf(request)}`),
    perToken: makeLimiter(app, settings.perToken, (request) => `token ${request.principal?.tokenId ?? ''}`),
    refusedTokens: makeLimiter(app, settings.refusedTokens, (request) => `refused ${networkOf(request)}`),
  };
}

/** One customer of an IPv6 network has a /64 to rotate through. */
function networkOf(request: FastifyRequest): string {
  return normalizeIP(request.ip, IPV6_SUBNET);
}

function makeLimiter(app: App, max: number, keyGenerator: (request: FastifyRequest) => string): Limiter {
  const check = app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator });
  async function apply(request: FastifyRequest, increment: boolean): Promise<void> {
    const result = await check(request, { increment });
    if (!result.isAllowed && result.isExceeded) {
      const retryAfterSeconds = Math.max(1, result.ttlInSeconds);
      throw new Problem('TOO_MANY_REQUESTS', `Try again in ${retryAfterSeconds} s.`, { retryAfterSeconds });
    }
  }
  return {
    count: (request) => apply(request, true),
    peek: (request) => apply(request, false),
  };
}
