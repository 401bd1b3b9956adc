import { z } from 'zod';
import { UNREFERENCED_MIN_AGE_MS } from '../../blobs/blob-store.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { ADMIN } from '../plugins/access.ts';
import { notFound } from '../problems.ts';
import { IdParams, PageQuery, pageOf } from '../schemas/common.ts';
import { iso } from '../schemas/time.ts';

const Count = z.number().int();

const QueueBody = z
  .object({
    runs: z.object({ queued: Count, running: Count, completed: Count, errored: Count, canceled: Count }),
    oldestQueuedMs: z.number().nullable(),
  })
  .meta({ id: 'Queue' });

const WorkerBody = z
  .object({
    id: z.string(),
    host: z.string(),
    version: z.string(),
    slots: Count,
    busy: Count,
    state: z.enum(['ready', 'draining', 'unhealthy', 'gone']),
    reason: z.string().nullable(),
    startedAt: z.string(),
    seenAt: z.string(),
  })
  .meta({ id: 'Worker' });

const AuditBody = z
  .object({
    id: z.string(),
    at: z.string(),
    actorId: z.string().nullable(),
    actor: z.string(),
    action: z.string(),
    object: z.string(),
    details: z.looseObject({}),
  })
  .meta({ id: 'AuditEntry' });

const Text = z.string().min(1).max(200).optional();

/** Queue, workers, the audit log, and forgetting a candidate. */
export function operationRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/queue',
    {
      config: { access: ADMIN },
      schema: { tags: ['admin'], summary: 'How much waits and runs', response: { 200: QueueBody } },
    },
    async () => {
      const { counts, oldestQueuedMs } = await deps.store.runs.queueFacts();
      return { runs: counts, oldestQueuedMs };
    },
  );
  workerRoutes(app, deps);
  auditRoute(app, deps);
  forgetRoute(app, deps);
}

function workerRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/workers',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Who grades',
        response: { 200: z.object({ items: z.array(WorkerBody) }) },
      },
    },
    async () => ({
      items: (await deps.store.workers.list()).map((worker) => ({
        ...worker,
        startedAt: iso(worker.startedAt),
        seenAt: iso(worker.seenAt),
      })),
    }),
  );
  app.post(
    '/v1/workers/:id/drain',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Let a worker finish what it has and take no more',
        params: z.strictObject({ id: z.string().min(1).max(200) }),
        response: { 202: z.object({ id: z.string() }) },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const asked = await audited(
        deps,
        request,
        (store) => store.workers.askToDrain(id),
        () => ['worker.drain', `worker ${id}`],
      );
      if (!asked) {
        throw notFound('worker');
      }
      return await reply.code(202).send({ id });
    },
  );
}

function auditRoute(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/audit',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Who did what, newest first; nothing changes or removes an entry',
        querystring: PageQuery.extend({ action: Text, object: Text }),
        response: { 200: pageOf(AuditBody) },
      },
    },
    async (request) => {
      const { action, object, limit, cursor } = request.query;
      const page = await deps.store.audit.list(
        { ...(action === undefined ? {} : { action }), ...(object === undefined ? {} : { object }) },
        { limit, ...(cursor === undefined ? {} : { cursor }) },
      );
      const items = page.items.map((entry) => ({
        ...entry,
        at: iso(entry.at),
        details: { ...entry.details },
      }));
      return { items, nextCursor: page.nextCursor };
    },
  );
}

function forgetRoute(app: App, deps: HttpDeps): void {
  app.delete(
    '/v1/candidates/:id',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Forget a candidate: name, files, logs, reports and reviews go, anonymous numbers stay',
        description:
          'Everything is out of reach at once; files younger than an hour leave the disk within two.',
        params: IdParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const deleted = await audited(
        deps,
        request,
        (store) => store.access.deleteCandidate(id),
        () => ['candidate.delete', `candidate ${id}`],
      );
      if (deleted === undefined) {
        throw notFound('candidate');
      }
      // A young blob may be that of an upload whose row is still to come; the hourly collection finds it.
      for (const key of deleted.orphanedBlobs) {
        await deps.blobs.collect(key, UNREFERENCED_MIN_AGE_MS);
      }
      return await reply.code(204).send();
    },
  );
}
