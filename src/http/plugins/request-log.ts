import type { App } from '../app-types.ts';
import type { HttpMetrics } from '../metrics.ts';

/** One line per answer: the route's pattern and never the address, in which ids and mistakes stand. */
export function registerRequestLog(app: App, metrics: HttpMetrics): void {
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none';
    metrics.answered({ method: request.method, route, status: reply.statusCode, ms: reply.elapsedTime });
    request.log.info(
      {
        method: request.method,
        route,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime),
        role: request.principal?.role,
        actor: request.principal?.tokenId,
      },
      'request answered',
    );
  });
  app.addHook('onRequestAbort', async (request) => {
    request.log.info({ method: request.method, route: request.routeOptions.url }, 'request aborted');
  });
}
