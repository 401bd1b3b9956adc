import { sql } from 'kysely';
import type { RunStore } from '../run-store.ts';
import type { Tx } from './connection.ts';
import { endRun, errorRun, requeueRun } from './end-run.ts';
import { putIntoOutbox, RUN_COLUMNS } from './run-rows.ts';

const RECONCILE_LOCK = 7_223_108;
const BATCH = 100;
const LOST = 'the worker that graded this run was lost';
/** After a restart of the database workers get this long to beat again: that they could not was no death of theirs. */
const RESTART_GRACE_MS = 5000;

/** See RunStore. Of several reconcilers one works; the others do nothing. */
export async function reconcileRuns(
  tx: Tx,
  options: { maxFailures: number; staleMs: number },
): ReturnType<RunStore['reconcile']> {
  const lock = await sql<{
    mine: boolean;
  }>`SELECT pg_try_advisory_xact_lock(${RECONCILE_LOCK}) AS mine`.execute(tx);
  if (lock.rows[0]?.mine !== true) {
    return { requeued: [], errored: [] };
  }
  const outcome = await takeFromTheDead(tx, options.maxFailures);
  return { ...outcome, requeued: [...outcome.requeued, ...(await deliverAgain(tx, options.staleMs))] };
}

async function takeFromTheDead(tx: Tx, maxFailures: number) {
  const dead = await tx
    .selectFrom('runs')
    .select([...RUN_COLUMNS, 'cancelReason'])
    .where('state', '=', 'running')
    .where('leaseUntil', '<', sql<Date>`clock_timestamp()`)
    .where(
      sql<boolean>`pg_postmaster_start_time() < clock_timestamp() - ${RESTART_GRACE_MS} * interval '1 millisecond'`,
    )
    .orderBy('id')
    .limit(BATCH)
    .forUpdate()
    .skipLocked()
    .execute();
  const requeued: string[] = [];
  const errored: string[] = [];
  for (const run of dead) {
    const failures = run.failures + 1;
    if (run.cancelReason !== null) {
      await endRun(tx, run, { state: 'canceled', verdict: null, score: null, reason: run.cancelReason });
    } else if (failures > maxFailures) {
      await errorRun(tx, run, failures, `${LOST}, ${failures} times`);
      errored.push(run.id);
    } else {
      await requeueRun(tx, run, { failures, delayMs: 0, reason: LOST });
      requeued.push(run.id);
    }
  }
  return { requeued, errored };
}

/**
 * Queued runs that the queue has had for long: it may have lost them. The epoch stays, so that a delivery which only
 * waits its turn is the same one and keeps its place.
 */
async function deliverAgain(tx: Tx, staleMs: number): Promise<string[]> {
  const stale = await tx
    .selectFrom('runs')
    .select(['id', 'epoch', 'kind'])
    .where('state', '=', 'queued')
    .where((row) =>
      row.not(
        row.exists(row.selectFrom('outbox').select('outbox.id').whereRef('outbox.runId', '=', 'runs.id')),
      ),
    )
    .where(
      sql<boolean>`coalesce(delivered_at, queued_at) < clock_timestamp() - ${staleMs} * interval '1 millisecond'`,
    )
    .orderBy('queuedAt')
    .orderBy('id')
    .limit(BATCH)
    .forUpdate()
    .skipLocked()
    .execute();
  for (const run of stale) {
    await putIntoOutbox(tx, run, 0);
  }
  return stale.map((run) => run.id);
}
