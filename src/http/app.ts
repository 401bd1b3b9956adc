import { randomUUID } from 'node:crypto';
import multipart from '@fastify/multipart';
import Fastify, { LogController } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { App } from './app-types.ts';
import { answerBrokenRequest } from './client-errors.ts';
import { answerError } from './error-handler.ts';
import type { HttpDeps } from './http-deps.ts';
import { makeMetrics } from './metrics.ts';
import { registerAccess } from './plugins/access.ts';
import { registerGuards } from './plugins/guards.ts';
import { openApiRoutes, registerOpenApi } from './plugins/openapi.ts';
import { registerJsonBody } from './plugins/json-body.ts';
import { registerRateLimits } from './plugins/rate-limits.ts';
import { registerRequestLog } from './plugins/request-log.ts';
import { notFound } from './problems.ts';
import { challengeVersionRoutes } from './routes/challenge-versions.ts';
import { challengeRoutes } from './routes/challenges.ts';
import { healthRoutes } from './routes/health.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { meRoutes } from './routes/me.ts';
import { operationRoutes } from './routes/operations.ts';
import { reportRoutes } from './routes/reports.ts';
import { reviewRoutes } from './routes/reviews.ts';
import { runRoutes } from './routes/runs.ts';
import { submissionEventRoutes } from './routes/submission-events.ts';
import { submissionUploadRoutes } from './routes/submission-upload.ts';
import { submissionRoutes } from './routes/submissions.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { makeInspectionLine } from './uploads/inspection-line.ts';
import { makeSlots } from './uploads/upload-slots.ts';

const JSON_BODY_BYTES = 64 * 1024;
const KEEP_ALIVE_MS = 72_000;
/** How often connections are held against the time limits. */
const CHECK_CONNECTIONS_MS = 5000;
const MAX_PARAM_LENGTH = 200;

/** The HTTP interface, ready to listen. `close()` lets what is being answered finish and ends open streams. */
export async function buildApp(deps: HttpDeps): Promise<App> {
  const app = newFastify(deps);
  const metrics = makeMetrics(deps.store);
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(answerError);
  app.setNotFoundHandler(() => {
    throw notFound('address');
  });
  registerRequestLog(app, metrics);
  await registerGuards(app, deps.settings);
  registerAccess(app, deps, await registerRateLimits(app, deps.settings));
  registerJsonBody(app);
  await app.register(multipart);
  await registerOpenApi(app, deps.version);
  const line = makeInspectionLine(deps.settings.inspectionsAtOnce, deps.settings.inspectionsWaiting);
  const slots = makeSlots(deps.settings.uploadsAtOnce, deps.settings.uploadsPerToken, 'uploads');
  openApiRoutes(app);
  healthRoutes(app, deps, metrics);
  const parts = { line, slots, metrics };
  meRoutes(app, deps);
  submissionUploadRoutes(app, deps, parts);
  submissionRoutes(app, deps);
  submissionEventRoutes(app, deps);
  reportRoutes(app, deps);
  runRoutes(app, deps);
  reviewRoutes(app, deps);
  challengeRoutes(app, deps, parts);
  challengeVersionRoutes(app, deps);
  invitationRoutes(app, deps);
  tokenRoutes(app, deps);
  webhookRoutes(app, deps);
  operationRoutes(app, deps);
  await app.ready();
  return app;
}

function newFastify({ logger, settings }: HttpDeps): App {
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: settings.trustProxy.length === 0 ? false : [...settings.trustProxy],
    bodyLimit: JSON_BODY_BYTES,
    http: { connectionsCheckingInterval: CHECK_CONNECTIONS_MS },
    requestTimeout: settings.requestTimeoutMs,
    connectionTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: answerError,
    clientErrorHandler: answerBrokenRequest,
  });
  app.server.headersTimeout = settings.headersTimeoutMs;
  return app.withTypeProvider<ZodTypeProvider>() as unknown as App;
}
