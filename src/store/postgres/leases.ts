import type { Report } from '../../domain/report.ts';
import type { Lease, Run, RunResult, RunStore } from '../run-store.ts';
import type { Connection, Tx } from './connection.ts';
import { endRun, errorRun, requeueRun } from './end-run.ts';
import { appendEvents, isForgotten, RUN_COLUMNS } from './run-rows.ts';
import { clock, clockIn, idOf } from './values.ts';

type LeaseStore = Pick<RunStore, 'lease' | 'heartbeat' | 'phase' | 'finish' | 'release' | 'liveLeases'>;

/** What a worker does with a run. Each statement is guarded by (run, epoch, worker). */
export function leaseStore(connection: Connection): LeaseStore {
  return {
    lease: (runId, epoch, worker, leaseMs) =>
      connection.write((tx) => lease(tx, { runId, epoch, worker }, leaseMs)),
    heartbeat: (runId, epoch, worker, leaseMs) =>
      connection.read(async (db) => {
        const held = await db
          .updateTable('runs')
          .set({ leaseUntil: clockIn(leaseMs) })
          .where('id', '=', idOf(runId))
          .where('epoch', '=', epoch)
          .where('worker', '=', worker)
          .where('state', '=', 'running')
          .returning('cancelReason')
          .executeTakeFirst();
        if (!held) {
          return 'lost';
        }
        return held.cancelReason === null ? 'ok' : 'cancel';
      }),
    phase: (runId, epoch, worker, phase, state) =>
      connection.write((tx) => notePhase(tx, { runId, epoch, worker }, phase, state)),
    finish: (runId, epoch, worker, result) =>
      connection.write((tx) => finish(tx, { runId, epoch, worker }, result)),
    release: (runId, epoch, worker, options) =>
      connection.write((tx) => release(tx, { runId, epoch, worker }, options)),
    liveLeases: () =>
      connection.read((db) =>
        db.selectFrom('runs').select(['id as runId', 'epoch']).where('state', '=', 'running').execute(),
      ),
  };
}

interface Holder {
  runId: string;
  epoch: number;
  worker: string;
}

type LeasedRun = Run & { cancelReason: string | null };

/** The run, locked, when this worker still holds its lease. */
async function lockLease(tx: Tx, { runId, epoch, worker }: Holder): Promise<LeasedRun | undefined> {
  return await tx
    .selectFrom('runs')
    .select([...RUN_COLUMNS, 'cancelReason'])
    .where('id', '=', idOf(runId))
    .where('epoch', '=', epoch)
    .where('worker', '=', worker)
    .where('state', '=', 'running')
    .forUpdate()
    .executeTakeFirst();
}

async function lease(tx: Tx, { runId, epoch, worker }: Holder, leaseMs: number): Promise<Lease | undefined> {
  const run = await tx
    .updateTable('runs')
    .set((row) => ({
      state: 'running',
      worker,
      leaseUntil: clockIn(leaseMs),
      startedAt: row.fn.coalesce('startedAt', clock()),
      phase: null,
      phases: '[]',
    }))
    .where('id', '=', idOf(runId))
    .where('epoch', '=', epoch)
    .where('state', '=', 'queued')
    .returning(RUN_COLUMNS)
    .executeTakeFirst();
  if (!run) {
    return undefined;
  }
  await appendEvents(tx, run.id, [{ type: 'state', state: 'running' }]);
  return { run, epoch };
}

async function release(
  tx: Tx,
  holder: Holder,
  options: Parameters<RunStore['release']>[3],
): Promise<boolean> {
  const run = await lockLease(tx, holder);
  if (!run) {
    return false;
  }
  const failures = run.failures + (options.countsAsFailure ? 1 : 0);
  if (run.cancelReason !== null) {
    await endRun(tx, run, { state: 'canceled', verdict: null, score: null, reason: run.cancelReason });
  } else if (failures > options.maxFailures) {
    await errorRun(tx, run, failures, options.reason);
  } else {
    await requeueRun(tx, run, { failures, delayMs: options.delayMs, reason: options.reason });
  }
  return true;
}

async function notePhase(tx: Tx, holder: Holder, phase: string, state: 'begin' | 'end'): Promise<void> {
  const run = await lockLease(tx, holder);
  if (!run || (await isForgotten(tx, run.submissionId))) {
    return;
  }
  const { now } = await tx.selectNoFrom(clock().as('now')).executeTakeFirstOrThrow();
  const atMs = now.getTime();
  const phases =
    state === 'begin'
      ? [...run.phases, { phase, beganAt: atMs, endedAt: null }]
      : run.phases.map((each) =>
          each.phase === phase && each.endedAt === null ? { ...each, endedAt: atMs } : each,
        );
  await tx
    .updateTable('runs')
    .set({ phases: JSON.stringify(phases), phase: state === 'begin' ? phase : null })
    .where('id', '=', run.id)
    .execute();
  await appendEvents(tx, run.id, [{ type: 'stage', stage: phase, state }]);
}

async function finish(tx: Tx, holder: Holder, result: RunResult): Promise<boolean> {
  const run = await lockLease(tx, holder);
  if (!run) {
    return await wasOurs(tx, holder);
  }
  if (await isForgotten(tx, run.submissionId)) {
    await tx.deleteFrom('runEvents').where('runId', '=', run.id).execute();
    await endRun(tx, run, {
      state: 'canceled',
      verdict: null,
      score: null,
      reason: run.cancelReason ?? result.reason,
    });
    return true;
  }
  await tx
    .insertInto('results')
    .values({
      runId: run.id,
      epoch: holder.epoch,
      worker: holder.worker,
      failure: result.failure && JSON.stringify(result.failure),
      report: result.report && JSON.stringify(result.report),
      artifacts: JSON.stringify(result.artifacts),
    })
    .execute();
  const blobs = [...new Set(result.artifacts.map((artifact) => artifact.blob))];
  if (blobs.length > 0) {
    await tx
      .insertInto('artifacts')
      .values(blobs.map((blob) => ({ runId: run.id, blob })))
      .execute();
  }
  // Who asked for the end said why; the worker only knows that somebody did.
  const canceled = result.state === 'canceled' && run.cancelReason !== null;
  const reason = canceled ? run.cancelReason : result.reason;
  await endRun(tx, run, { ...result, reason, stages: stageNames(run, result.report) });
  return true;
}

function stageNames({ kind }: Run, report: RunResult['report']): string[] | null {
  return kind !== 'check' && report !== null && 'stages' in report
    ? (report as Report).stages.map(({ name }) => name)
    : null;
}

/** The answer to a worker whose connection broke while it committed: this very result is stored already. */
async function wasOurs(tx: Tx, { runId, epoch, worker }: Holder): Promise<boolean> {
  const stored = await tx
    .selectFrom('results')
    .select('runId')
    .where('runId', '=', idOf(runId))
    .where('epoch', '=', epoch)
    .where('worker', '=', worker)
    .executeTakeFirst();
  return stored !== undefined;
}
