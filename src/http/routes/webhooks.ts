import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { WebhookDelivery } from '../../store/webhook-store.ts';
import { WEBHOOK_EVENTS } from '../../store/webhook-store.ts';
import type { App } from '../app-types.ts';
import { audited } from '../audit.ts';
import type { HttpDeps } from '../http-deps.ts';
import { ADMIN } from '../plugins/access.ts';
import { notFound } from '../problems.ts';
import { Id, IdParams, PageQuery, pageOf } from '../schemas/common.ts';
import { iso, isoOrNull } from '../schemas/time.ts';

const WebhookBody = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.enum(WEBHOOK_EVENTS)),
    createdAt: z.string(),
  })
  .meta({ id: 'Webhook' });

const DeliveryBody = z
  .object({
    id: z.string(),
    event: z.enum(WEBHOOK_EVENTS),
    payload: z.looseObject({}),
    state: z.enum(['pending', 'delivered', 'failed']),
    attempts: z.number().int(),
    lastStatus: z.number().int().nullable(),
    lastError: z.string().nullable(),
    nextAttemptAt: z.string().nullable(),
    createdAt: z.string(),
    deliveredAt: z.string().nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

const NewWebhook = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2000),
  events: z
    .array(z.enum(WEBHOOK_EVENTS))
    .min(1)
    .transform((events) => [...new Set(events)]),
});

/** Who is told of what, and what became of it. */
export function webhookRoutes(app: App, deps: HttpDeps): void {
  createRoute(app, deps);
  app.get(
    '/v1/webhooks',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'All webhooks',
        response: { 200: z.object({ items: z.array(WebhookBody) }) },
      },
    },
    async () => {
      const webhooks = await deps.store.webhooks.list();
      return { items: webhooks.map((hook) => ({ ...hook, createdAt: iso(hook.createdAt) })) };
    },
  );
  app.delete(
    '/v1/webhooks/:id',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Remove a webhook',
        params: IdParams,
        response: { 204: z.undefined() },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const removed = await audited(
        deps,
        request,
        (store) => store.webhooks.remove(id),
        () => ['webhook.remove', `webhook ${id}`],
      );
      if (!removed) {
        throw notFound('webhook');
      }
      return await reply.code(204).send();
    },
  );
  deliveryRoutes(app, deps);
}

function createRoute(app: App, deps: HttpDeps): void {
  app.post(
    '/v1/webhooks',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Be told of events; the secret that signs them is shown this once',
        description:
          'Each delivery is a POST with assay-signature: t=<unix seconds>,v1=<hex hmac-sha256 of "t.body">. ' +
          'Check the signature and the age. Addresses of private networks need ASSAY_WEBHOOK_ALLOW.',
        body: NewWebhook,
        response: { 201: WebhookBody.extend({ secret: z.string() }) },
      },
    },
    async (request, reply) => {
      const { url, events } = request.body;
      await deps.checkWebhookUrl(url);
      const secret = `whsec_${randomBytes(32).toString('base64url')}`;
      const webhook = await audited(
        deps,
        request,
        (store) => store.webhooks.add({ url, events, secret }),
        ({ id }) => ['webhook.create', `webhook ${id}`, { events }],
      );
      return await reply.code(201).send({
        id: webhook.id,
        url: webhook.url,
        events: webhook.events,
        createdAt: iso(webhook.createdAt),
        secret,
      });
    },
  );
}

function deliveryRoutes(app: App, deps: HttpDeps): void {
  app.get(
    '/v1/webhooks/:id/deliveries',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'What was sent, newest first',
        params: IdParams,
        querystring: PageQuery,
        response: { 200: pageOf(DeliveryBody) },
      },
    },
    async (request) => {
      const { limit, cursor } = request.query;
      const page = await deps.store.webhooks.deliveries(request.params.id, {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
      });
      return { items: page.items.map(toDeliveryBody), nextCursor: page.nextCursor };
    },
  );
  app.post(
    '/v1/webhooks/:id/deliveries/:delivery/redeliver',
    {
      config: { access: ADMIN },
      schema: {
        tags: ['admin'],
        summary: 'Send a delivery again, with its first payload',
        params: IdParams.extend({ delivery: Id }),
        response: { 202: DeliveryBody },
      },
    },
    async (request, reply) => {
      const { id, delivery: deliveryId } = request.params;
      const delivery = await audited(
        deps,
        request,
        (store) => store.webhooks.redeliver(id, deliveryId),
        () => ['webhook.redeliver', `delivery ${deliveryId}`],
      );
      if (delivery === undefined) {
        throw notFound('delivery');
      }
      return await reply.code(202).send(toDeliveryBody(delivery));
    },
  );
}

function toDeliveryBody(delivery: WebhookDelivery): z.output<typeof DeliveryBody> {
  return {
    id: delivery.id,
    event: delivery.event,
    payload: { ...delivery.payload },
    state: delivery.state,
    attempts: delivery.attempts,
    lastStatus: delivery.lastStatus,
    lastError: delivery.lastError,
    nextAttemptAt: isoOrNull(delivery.nextAttemptAt),
    createdAt: iso(delivery.createdAt),
    deliveredAt: isoOrNull(delivery.deliveredAt),
  };
}
