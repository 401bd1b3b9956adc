import pino from 'pino';
import { expect, it } from 'vitest';
import { systemClock } from '../../../src/shared/clock.ts';
import type { DueDelivery, WebhookStore } from '../../../src/store/webhook-store.ts';
import { makeAllowRule } from '../../../src/webhooks/allow-rule.ts';
import { sendDue } from '../../../src/webhooks/webhook-sender.ts';

/** Tries a delivery that nobody may receive, as its n-th attempt, and answers the wait before the next one. */
async function waitAfter(attempts: number): Promise<number | undefined> {
  const waits: (number | undefined)[] = [];
  const delivery = { id: 'd', event: 'run.completed', payload: {}, attempts, createdAt: new Date() } as const;
  const due = { url: 'http://127.0.0.1:9/', secret: 's', delivery } as unknown as DueDelivery;
  const webhooks = {
    takeDue: () => Promise.resolve([due]),
    settle: (_id: string, { retryInMs }: { retryInMs?: number }) => {
      waits.push(retryInMs);
      return Promise.resolve();
    },
  } as unknown as WebhookStore;
  const logger = pino({ level: 'silent' });
  await sendDue({ webhooks, rule: makeAllowRule([]), clock: systemClock, logger });
  return waits[0];
}

it('waits longer after each failure of a delivery, from ten seconds to eight hours, and then gives it up', async () => {
  const waits = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(waitAfter));

  expect(waits).toEqual([10, 60, 300, 1800, 7200, 14_400, 28_800, undefined].map((s) => s && s * 1000));
});
