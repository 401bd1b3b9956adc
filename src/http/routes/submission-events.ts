import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { App } from '../app-types.ts';
import type { EventView } from '../events/event-view.ts';
import { candidateView, staffView } from '../events/event-view.ts';
import { followRun } from '../events/follow-run.ts';
import { openStream } from '../events/stream-writer.ts';
import type { HttpDeps } from '../http-deps.ts';
import { callerOf, EVERYONE, tokenHashOf } from '../plugins/access.ts';
import { fileAnswer, IdParams } from '../schemas/common.ts';
import { makeSlots } from '../uploads/upload-slots.ts';
import { runsOf, visibleSubmission } from '../visible.ts';

const EventHeaders = z.looseObject({
  'last-event-id': z.string().optional().describe('Id of the last event that came'),
});
const LAST_ID = /^([0-9a-f-]{36}):(\d{1,9})$/;

/** Live progress as server-sent events. */
export function submissionEventRoutes(app: App, deps: HttpDeps): void {
  const slots = makeSlots(deps.settings.streams, deps.settings.streamsPerToken, 'event streams');
  const open = new Set<AbortController>();
  // Streams never end by themselves; a service that stops must end them, and readers come back with their last id.
  app.addHook('preClose', async () => {
    for (const controller of open) {
      controller.abort();
    }
  });
  app.get(
    '/v1/submissions/:id/events',
    {
      config: { access: EVERYONE },
      schema: {
        tags: ['candidate', 'reviewer'],
        summary: 'Live progress of the newest run, as server-sent events',
        description:
          'Events: state, stage, check (for candidates how many, not which), progress, log, queue, end. ' +
          'Send Last-Event-ID to go on where a connection broke.',
        params: IdParams,
        headers: EventHeaders,
        response: fileAnswer('Events as they come, until the run has ended', 'text/event-stream'),
      },
    },
    async (request, reply) => {
      const submission = await visibleSubmission(deps, request, request.params.id);
      const version = await deps.store.challenges.get(submission.versionId);
      const { newest: run } = await runsOf(deps, submission.id);
      const candidate = callerOf(request).role === 'candidate';
      const view = candidate && version ? candidateView(version.policy.feedback) : staffView();
      const release = slots.take(callerOf(request).tokenId);
      const controller = new AbortController();
      open.add(controller);
      reply.raw.once('close', () => controller.abort());
      // A reader may have gone while we asked the store; no event will tell.
      if (reply.raw.destroyed) {
        controller.abort();
      }
      try {
        await stream({ request, reply, deps, view, controller }, run);
      } finally {
        open.delete(controller);
        release();
      }
    },
  );
}

interface Reader {
  request: FastifyRequest;
  reply: FastifyReply;
  deps: HttpDeps;
  view: EventView;
  controller: AbortController;
}

async function stream(reader: Reader, run: Parameters<typeof followRun>[0]['run']): Promise<void> {
  const { request, reply, deps, view, controller } = reader;
  const { heartbeatMs, slowReaderMs } = deps.settings;
  const last = LAST_ID.exec(String(request.headers['last-event-id'] ?? ''));
  const hash = tokenHashOf(request);
  reply.hijack();
  const writer = openStream(reply.raw, reply.getHeaders(), slowReaderMs);
  try {
    await followRun(
      {
        store: deps.store,
        run,
        view,
        writer,
        afterSeq: last?.[1] === run.id ? Number(last[2]) : 0,
        heartbeatMs,
        stillAllowed: async () => (await deps.store.access.authenticate(hash)) !== undefined,
      },
      controller,
    );
  } catch (error) {
    // The answer has begun: all that is left is to end it; the reader comes back.
    request.log.warn({ err: error, run: run.id }, 'event stream broke');
    reply.raw.destroy();
  }
}
