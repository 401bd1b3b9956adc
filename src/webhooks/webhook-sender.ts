import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError } from '../domain/errors.ts';
import type { Clock } from '../shared/clock.ts';
import type { Logger } from '../shared/logger.ts';
import type { DueDelivery, WebhookStore } from '../store/webhook-store.ts';
import type { AllowRule } from './allow-rule.ts';
import { resolveTarget } from './resolve-target.ts';
import { post, signDelivery } from './send-delivery.ts';

export interface WebhookDeps {
  webhooks: WebhookStore;
  rule: AllowRule;
  clock: Clock;
  logger: Logger;
}

export interface WebhookSender {
  /** Ends after the deliveries that are on their way. */
  close(): Promise<void>;
}

const AT_ONCE = 8;
const POLL_MS = 1000;
const HOLD_MS = 60_000;
const SECOND = 1000;
/** Waits after each failure; after the last one a delivery is given up: about 15 hours in all. */
const RETRIES_MS = [10, 60, 300, 1800, 7200, 14_400, 28_800].map((seconds) => seconds * SECOND);

/** Sends what is due, again and again, until closed. Trouble of the store is waited out. */
export function startWebhookSender(deps: WebhookDeps): WebhookSender {
  const controller = new AbortController();
  const running = run(deps, controller.signal);
  return {
    close: async () => {
      controller.abort();
      await running;
    },
  };
}

async function run(deps: WebhookDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sent = await sendDue(deps).catch((error: unknown) => {
      deps.logger.warn({ err: error }, 'webhooks could not be sent');
      return 0;
    });
    if (sent === 0) {
      await sleep(POLL_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Sends one batch of deliveries that are due; answers how many there were. */
export async function sendDue(deps: WebhookDeps): Promise<number> {
  const due = await deps.webhooks.takeDue(AT_ONCE, HOLD_MS);
  await Promise.all(due.map((one) => sendOne(one, deps)));
  return due.length;
}

async function sendOne(due: DueDelivery, { webhooks, rule, clock, logger }: WebhookDeps): Promise<void> {
  const { id, attempts } = due.delivery;
  let status: number | null = null;
  let error: string | null = null;
  try {
    const target = await resolveTarget(due.url, rule);
    status = await post(target, signDelivery(due, clock.now()));
    error = status >= 200 && status < 300 ? null : `answered ${status}`;
  } catch (reason) {
    error = describe(reason);
  }
  const ok = error === null;
  const retryInMs = ok ? undefined : RETRIES_MS[attempts - 1];
  logger.info({ delivery: id, status, ok }, 'webhook delivery');
  await webhooks.settle(id, { ok, status, error, ...(retryInMs === undefined ? {} : { retryInMs }) });
}

/** For the delivery log, which admins read: what happened, without stacks. */
function describe(reason: unknown): string {
  if (reason instanceof AssayError) {
    return reason.message;
  }
  if (reason instanceof Error && 'code' in reason && typeof reason.code === 'string') {
    return `could not be sent: ${reason.code}`;
  }
  return reason instanceof Error && /Timeout|Abort/.test(reason.name) ? 'took too long' : 'could not be sent';
}
