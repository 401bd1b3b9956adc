import type { Page, PageRequest } from './page.ts';

export const WEBHOOK_EVENTS = [
  'submission.received',
  'run.completed',
  'run.errored',
  'review.decided',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export interface Webhook {
  id: string;
  url: string;
  events: WebhookEvent[];
  /** Signs deliveries; shown once, when made. Never listed. */
  secret: string;
  createdAt: Date;
}

export interface WebhookDelivery {
  id: string;
  webhookId: string;
  event: WebhookEvent;
  payload: object;
  state: 'pending' | 'delivered' | 'failed';
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  nextAttemptAt: Date | null;
  createdAt: Date;
  deliveredAt: Date | null;
}

export interface DueDelivery {
  delivery: WebhookDelivery;
  url: string;
  secret: string;
}

/** Who wants to be told what, and what was told. Deliveries are written by the transactions that cause them. */
export interface WebhookStore {
  add(webhook: { url: string; events: readonly WebhookEvent[]; secret: string }): Promise<Webhook>;
  list(): Promise<Omit<Webhook, 'secret'>[]>;
  remove(id: string): Promise<boolean>;
  deliveries(webhookId: string, page: PageRequest): Promise<Page<WebhookDelivery>>;
  /** Makes a delivery of this webhook due again, with its first payload. */
  redeliver(webhookId: string, deliveryId: string): Promise<WebhookDelivery | undefined>;
  /** Takes deliveries that are due; each is hidden from other takers for `holdMs`. */
  takeDue(limit: number, holdMs: number): Promise<DueDelivery[]>;
  /** Files an outcome. `retryInMs` undefined on a failure: given up. */
  settle(
    deliveryId: string,
    outcome: { ok: boolean; status: number | null; error: string | null; retryInMs?: number },
  ): Promise<void>;
}
