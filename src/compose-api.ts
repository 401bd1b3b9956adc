import { join } from 'node:path';
import type { Backing } from './compose-service.ts';
import type { Config } from './config.ts';
import { AssayError } from './domain/errors.ts';
import { decideStartPlan } from './grading/start-plan.ts';
import { buildApp } from './http/app.ts';
import type { App } from './http/app-types.ts';
import { DEFAULT_HTTP_SETTINGS } from './http/http-settings.ts';
import { inspectSubmission } from './intake/inspect-submission.ts';
import { readVersion } from './open-engine.ts';
import { systemClock } from './shared/clock.ts';
import { makeAllowRule } from './webhooks/allow-rule.ts';
import type { AllowRule } from './webhooks/allow-rule.ts';
import { resolveTarget } from './webhooks/resolve-target.ts';
import { startWebhookSender } from './webhooks/webhook-sender.ts';
import { blobChore, reconcileChore, relayChore, uploadChore } from './worker/chores.ts';
import { keepGoing } from './worker/keep-going.ts';
import { WORKER_SETTINGS } from './worker/worker-deps.ts';

/** The HTTP interface over what is open, and the chores that keep runs moving. It does not listen yet. */
export async function openApi(
  config: Config,
  backing: Backing,
): Promise<{ app: App; close(): Promise<void> }> {
  const { store, blobs, logger, queue } = backing;
  const rule = webhookRule(config);
  const uploadDir = join(config.home, 'uploads');
  const app = await buildApp({
    store,
    blobs,
    logger,
    clock: systemClock,
    version: await readVersion(),
    settings: {
      ...DEFAULT_HTTP_SETTINGS,
      trustProxy: config.trustProxy,
      uploadDir,
    },
    intake: (path, maxBytes, signal) => inspectSubmission({ path }, { compressedBytes: maxBytes }, signal),
    checkStart: (submission, runtimes) => {
      decideStartPlan(submission, runtimes);
    },
    checkWebhookUrl: async (address) => {
      await resolveTarget(address, rule);
    },
  });
  const chores = [
    relayChore(store, queue),
    reconcileChore(store, WORKER_SETTINGS.maxFailures, logger),
    blobChore(store, blobs, logger),
    uploadChore(uploadDir, logger),
  ].map((chore) => keepGoing(chore, logger));
  const sender = startWebhookSender({ webhooks: store.webhooks, rule, clock: systemClock, logger });
  return {
    app,
    close: async () => {
      await app.close();
      await Promise.all([sender.close(), ...chores.map((stop) => stop())]);
    },
  };
}

function webhookRule({ webhookAllow }: Config): AllowRule {
  try {
    return makeAllowRule(webhookAllow);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AssayError('CONFIG_INVALID', 'infra', `ASSAY_WEBHOOK_ALLOW: ${reason}`);
  }
}
