import { setTimeout as sleep } from 'node:timers/promises';
import { AssayError, InfraError } from '../domain/errors.ts';
import type { Delivery } from '../queue/grading-queue.ts';
import type { Lease, RunResult } from '../store/run-store.ts';
import { gradeLeased } from './grade-leased.ts';
import { keepLease } from './keep-lease.ts';
import type { KeptLease } from './keep-lease.ts';
import { tellEvents } from './tell-events.ts';
import type { WorkerDeps } from './worker-deps.ts';

/** What became of a delivery. `failed` is ours, and says what the machine's health may depend on. */
export type WorkOutcome =
  | { kind: 'not-ours' }
  | { kind: 'finished' }
  | { kind: 'given-back' }
  | { kind: 'failed'; code: string };

const STORE_RETRY_MS = 1000;
const MAX_REASON_CHARS = 500;

/**
 * Works on one delivery: lease → grade → finish. Whoever else has the run, or a run that has ended, is left alone.
 * Rejects only when the store does not answer to the lease; the queue then delivers again.
 */
export async function workOnRun(
  deps: WorkerDeps,
  delivery: Delivery,
  queueSignal: AbortSignal,
  onLease: (lease: KeptLease) => void,
): Promise<WorkOutcome> {
  const { store, settings, id } = deps;
  const lease = await store.runs.lease(delivery.runId, delivery.epoch, id, settings.leaseMs);
  if (!lease) {
    return { kind: 'not-ours' };
  }
  const kept = keepLease(deps, lease);
  onLease(kept);
  // The queue is a hint: what it has forgotten or given to another is still ours while the store says so.
  function ask(): void {
    kept.check();
  }
  queueSignal.addEventListener('abort', ask, { once: true });
  const log = deps.logger.child({ runId: lease.run.id, epoch: lease.epoch });
  log.info({ kind: lease.run.kind }, 'work on a run begins');
  try {
    const outcome = await work({ ...deps, logger: log }, lease, kept);
    log.info({ outcome }, 'work on a run ended');
    return outcome;
  } finally {
    queueSignal.removeEventListener('abort', ask);
    await kept.end();
  }
}

async function work(deps: WorkerDeps, lease: Lease, kept: KeptLease): Promise<WorkOutcome> {
  const teller = tellEvents(deps, lease);
  let result: RunResult | AssayError;
  try {
    result = await gradeLeased(deps, lease, teller, kept.signal);
  } catch (error) {
    result = error instanceof AssayError ? error : wrap(error);
    // What is stopped on request ends in an error too, and that is nobody's fault.
    if (kept.stopReason() === undefined) {
      deps.logger.error({ err: error }, 'a run failed by a fault of ours');
    }
  } finally {
    await teller.end();
  }
  return await settle(deps, lease, kept, result);
}

async function settle(
  deps: WorkerDeps,
  lease: Lease,
  kept: KeptLease,
  result: RunResult | AssayError,
): Promise<WorkOutcome> {
  const reason = kept.stopReason();
  if (reason === 'lost') {
    return { kind: 'not-ours' };
  }
  if (!(result instanceof AssayError) && result.state === 'completed') {
    return await finish(deps, lease, kept, result);
  }
  if (reason === 'cancel') {
    const report = result instanceof AssayError ? null : result.report;
    return await finish(deps, lease, kept, {
      ...ended(result),
      state: 'canceled',
      reason: 'canceled on request',
      report,
    });
  }
  if (reason === 'drain') {
    await release(deps, lease, kept, { countsAsFailure: false, delayMs: 0, reason: 'the worker stopped' });
    return { kind: 'given-back' };
  }
  return await settleFailure(deps, lease, kept, result);
}

/** A fault of ours is tried again, later and later; the last try's result is kept. The challenge's is final at once. */
async function settleFailure(
  deps: WorkerDeps,
  lease: Lease,
  kept: KeptLease,
  result: RunResult | AssayError,
): Promise<WorkOutcome> {
  if (!(result instanceof AssayError) && result.state === 'canceled') {
    return await finish(deps, lease, kept, result);
  }
  const { code, blame } = result instanceof AssayError ? result : (result.failure ?? UNKNOWN);
  const { maxFailures, retryMs } = deps.settings;
  const final = blame !== 'infra' || lease.run.failures >= maxFailures;
  if (final) {
    await finish(deps, lease, kept, ended(result));
  } else {
    const delayMs = retryMs * 2 ** lease.run.failures;
    const reason = messageOf(result);
    await release(deps, lease, kept, { countsAsFailure: true, delayMs, reason });
  }
  return { kind: 'failed', code };
}

const UNKNOWN = { code: 'INTERNAL', blame: 'infra' } as const;

function wrap(error: unknown): InfraError {
  const message = error instanceof Error ? error.message : String(error);
  return new InfraError('INTERNAL', `something of ours broke: ${message}`, { cause: error });
}

function messageOf(result: RunResult | AssayError): string {
  const text = result instanceof AssayError ? result.message : (result.reason ?? 'a fault of ours');
  return text.slice(0, MAX_REASON_CHARS);
}

function ended(result: RunResult | AssayError): RunResult {
  if (!(result instanceof AssayError)) {
    return result;
  }
  const { code, blame, mend } = result;
  const message = messageOf(result);
  return {
    state: 'errored',
    verdict: null,
    score: null,
    reason: message,
    failure: { code, blame, message, ...(mend === undefined ? {} : { hint: mend }) },
    report: null,
    artifacts: [],
  };
}

async function finish(
  deps: WorkerDeps,
  lease: Lease,
  kept: KeptLease,
  result: RunResult,
): Promise<WorkOutcome> {
  const { run, epoch } = lease;
  const stored = await persist(deps, kept, () => deps.store.runs.finish(run.id, epoch, deps.id, result));
  return stored === true ? { kind: 'finished' } : { kind: 'not-ours' };
}

async function release(
  deps: WorkerDeps,
  { run, epoch }: Lease,
  kept: KeptLease,
  options: { countsAsFailure: boolean; delayMs: number; reason: string },
): Promise<void> {
  const { maxFailures } = deps.settings;
  await persist(deps, kept, () =>
    deps.store.runs.release(run.id, epoch, deps.id, { ...options, maxFailures }),
  );
}

/** Asks a store that is away again for as long as the run is ours: its result is worth the wait. */
async function persist(
  deps: WorkerDeps,
  kept: KeptLease,
  write: () => Promise<boolean>,
): Promise<boolean | undefined> {
  for (;;) {
    try {
      return await write();
    } catch (error) {
      const away = error instanceof InfraError && error.code === 'STORE_UNAVAILABLE';
      if (!away || kept.stopReason() === 'lost') {
        throw error;
      }
      deps.logger.warn({ err: error }, 'the store is away; the end of a run waits for it');
    }
    await sleep(STORE_RETRY_MS);
  }
}
