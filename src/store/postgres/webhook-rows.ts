import { sql } from 'kysely';
import type { Run } from '../run-store.ts';
import type { Submission } from '../submission-store.ts';
import type { WebhookEvent } from '../webhook-store.ts';
import type { Tx } from './connection.ts';

/** Writes a delivery for every webhook that wants this event. Payloads name nobody. */
export async function queueWebhooks(tx: Tx, event: WebhookEvent, payload: object): Promise<void> {
  const text = JSON.stringify({ event, ...payload });
  await sql`
    INSERT INTO webhook_deliveries (webhook_id, event, payload, next_attempt_at)
    SELECT id, ${event}, ${text}::json, clock_timestamp() FROM webhooks
    WHERE ${event} = ANY (events)`.execute(tx);
}

/** What webhooks tell of a submission. */
export function submissionFacts(
  submission: Pick<
    Submission,
    'id' | 'slug' | 'version' | 'invitationId' | 'attempt' | 'dryRun' | 'late' | 'createdAt'
  >,
): object {
  const { id, slug, version, invitationId, attempt, dryRun, late, createdAt } = submission;
  return { id, challenge: slug, version, invitationId, attempt, dryRun, late, createdAt };
}

/** What webhooks tell of a run. */
export function runFacts(run: Run): object {
  const { id, kind, state, verdict, score, reason, finishedAt } = run;
  return { id, kind, state, verdict, score, reason, finishedAt };
}
