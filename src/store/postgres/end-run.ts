import type { RunEvent } from '../../domain/run.ts';
import type { Run, RunResult } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { writeAudit } from './audit-rows.ts';
import { appendEvents, putIntoOutbox, RUN_COLUMNS } from './run-rows.ts';
import { findSubmission } from './submission-rows.ts';
import { clock } from './values.ts';
import { queueWebhooks, runFacts, submissionFacts } from './webhook-rows.ts';

type Ending = Pick<RunResult, 'state' | 'verdict' | 'score' | 'reason'> & { stages?: string[] | null };

/**
 * Everything that belongs to the end of a run whose row is locked: its state, the last events, the refund of an
 * attempt that ended by a fault of ours, the mark of a checked version, webhooks.
 */
export async function endRun(tx: Tx, run: Run, ending: Ending, failures = run.failures): Promise<void> {
  const { state, reason } = ending;
  const completed = state === 'completed';
  const ended = await tx
    .updateTable('runs')
    .set({
      state,
      verdict: completed ? ending.verdict : null,
      score: completed ? ending.score : null,
      stages: ending.stages ?? null,
      reason,
      failures,
      phase: null,
      leaseUntil: null,
      cancelReason: null,
      finishedAt: clock(),
    })
    .where('id', '=', run.id)
    .returning(RUN_COLUMNS)
    .executeTakeFirstOrThrow();
  await appendEvents(tx, run.id, lastEvents(ended));
  if (state === 'errored' && (run.kind === 'first' || run.kind === 'dry') && run.submissionId !== null) {
    await tx.updateTable('submissions').set({ refunded: true }).where('id', '=', run.submissionId).execute();
  }
  if (run.kind === 'check' && state !== 'canceled') {
    await tx
      .updateTable('challengeVersions')
      .set({ checkRunId: run.id, checkOk: ended.verdict === 'passed', checkFinishedAt: clock() })
      .where('id', '=', run.versionId)
      .execute();
  }
  if (state !== 'canceled') {
    await tellWebhooks(tx, ended, state);
  }
}

function lastEvents({ state, reason, verdict }: Run): RunEvent[] {
  return [
    { type: 'state', state, ...(reason === null ? {} : { message: reason }) },
    { type: 'end', state, verdict },
  ];
}

async function tellWebhooks(tx: Tx, run: Run, state: 'completed' | 'errored'): Promise<void> {
  const submission = run.submissionId === null ? undefined : await findSubmission(tx, run.submissionId);
  await queueWebhooks(tx, `run.${state}`, {
    run: runFacts(run),
    submission: submission ? submissionFacts(submission) : null,
  });
}

/** Ends a run that failed too often by faults of ours. */
export async function errorRun(tx: Tx, run: Run, failures: number, reason: string): Promise<void> {
  await endRun(tx, run, { state: 'errored', verdict: null, score: null, reason }, failures);
  await writeAudit(tx, 'system', 'run.errored', `run/${run.id}`, { reason, failures });
}

/** Back into the queue with the next epoch: whoever works on the old one can write nothing more. */
export async function requeueRun(
  tx: Tx,
  run: Run,
  options: { failures: number; delayMs: number; reason: string },
): Promise<void> {
  const epoch = run.epoch + 1;
  await tx
    .updateTable('runs')
    .set({
      state: 'queued',
      epoch,
      worker: null,
      leaseUntil: null,
      phase: null,
      failures: options.failures,
      deliveredAt: null,
    })
    .where('id', '=', run.id)
    .execute();
  await appendEvents(tx, run.id, [{ type: 'state', state: 'queued', message: options.reason }]);
  await putIntoOutbox(tx, { ...run, epoch }, options.delayMs);
}

/** See RunStore. */
export async function cancelRun(tx: Tx, runId: string, reason: string): Promise<boolean> {
  const run = await tx
    .selectFrom('runs')
    .select(RUN_COLUMNS)
    .where('id', '=', runId)
    .forUpdate()
    .executeTakeFirst();
  if (run?.state === 'queued') {
    await tx.deleteFrom('outbox').where('runId', '=', run.id).execute();
    await endRun(tx, run, { state: 'canceled', verdict: null, score: null, reason });
    return true;
  }
  if (run?.state === 'running') {
    await tx.updateTable('runs').set({ cancelReason: reason }).where('id', '=', run.id).execute();
    return true;
  }
  return false;
}
