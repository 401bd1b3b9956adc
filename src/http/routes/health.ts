import { z } from 'zod';
import type { App } from '../app-types.ts';
import type { HttpDeps } from '../http-deps.ts';
import type { HttpMetrics } from '../metrics.ts';
import { ADMIN } from '../plugins/access.ts';
import { fileAnswer } from '../schemas/common.ts';

const METRICS_ANSWER = fileAnswer('In the text format', 'text/plain');
const tags = ['operations'];

/** Whether the process lives, whether it can serve, and what it counted. */
export function healthRoutes(app: App, deps: HttpDeps, metrics: HttpMetrics): void {
  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'The process lives',
        response: { 200: z.object({ status: z.literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );
  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'The service can take requests: its database answers',
        response: { 200: z.object({ status: z.literal('ready') }) },
      },
    },
    async () => {
      await deps.store.ping();
      return { status: 'ready' as const };
    },
  );
  app.get(
    '/metrics',
    {
      config: { access: ADMIN },
      schema: { tags, summary: 'Metrics for Prometheus', response: METRICS_ANSWER },
    },
    async (_request, reply) => {
      const { contentType, text } = await metrics.render();
      return reply.type(contentType).send(text);
    },
  );
}
