import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { RunState } from '../../domain/run.ts';
import type { Run, RunStore } from '../run-store.ts';
import type { Connection, Reader } from './connection.ts';
import { cancelRun } from './end-run.ts';
import { leaseStore } from './leases.ts';
import { relayOutbox } from './outbox.ts';
import { queueRun } from './queue-run.ts';
import { reconcileRuns } from './reconcile.ts';
import { outcomeFacts } from './outcome-facts.ts';
import { regradeAll, regradeOne } from './regrade.ts';
import { RUN_COLUMNS } from './run-rows.ts';
import { idOf } from './values.ts';

export function runStore(connection: Connection): RunStore {
  return {
    get: (id) =>
      connection.read((db) =>
        db.selectFrom('runs').select(RUN_COLUMNS).where('id', '=', idOf(id)).executeTakeFirst(),
      ),
    listOfSubmission: (submissionId) =>
      connection.read((db) =>
        db
          .selectFrom('runs')
          .select(RUN_COLUMNS)
          .where('submissionId', '=', idOf(submissionId))
          .orderBy('createdAt', 'desc')
          .orderBy('id')
          .execute(),
      ),
    result: (runId) =>
      connection.read((db) =>
        db
          .selectFrom('results')
          .select(['report', 'artifacts'])
          .where('runId', '=', idOf(runId))
          .executeTakeFirst(),
      ),
    regrade: (submissionId, versionId) => connection.write((tx) => regradeOne(tx, submissionId, versionId)),
    regradeAll: (slug, versionId) => connection.write((tx) => regradeAll(tx, slug, versionId)),
    check: (versionId) => queueCheck(connection, versionId),
    checkOf: (versionId) => connection.read((db) => checkOf(db, idOf(versionId))),
    cancel: (runId, reason) => connection.write((tx) => cancelRun(tx, idOf(runId), reason)),
    ...leaseStore(connection),
    reconcile: (options) => connection.write((tx) => reconcileRuns(tx, options)),
    relay: (limit, send) => connection.write((tx) => relayOutbox(tx, limit, send)),
    queueFacts: () => connection.read(queueFacts),
    outcomeFacts: () => connection.read(outcomeFacts),
    submissionsWait: () => connection.read(submissionsWait),
    positionOf: (runId) => connection.read((db) => positionOf(db, idOf(runId))),
  };
}

/** One check of a version at a time: the one that is queued or running stands for a second. */
async function queueCheck(connection: Connection, versionId: string): Promise<Run> {
  return await connection.write(async (tx) => {
    // Serialises two callers; the unique index would refuse the second one otherwise.
    await tx
      .selectFrom('challengeVersions')
      .select('id')
      .where('id', '=', idOf(versionId))
      .forUpdate()
      .executeTakeFirstOrThrow();
    return (
      (await checkOf(tx, idOf(versionId))) ??
      (await queueRun(tx, {
        submissionId: null,
        versionId,
        kind: 'check',
        seed: randomUUID(),
        previousRunId: null,
      }))
    );
  });
}

async function checkOf(db: Reader, versionId: string): Promise<Run | undefined> {
  return await db
    .selectFrom('runs')
    .select(RUN_COLUMNS)
    .where('versionId', '=', versionId)
    .where('kind', '=', 'check')
    .where('state', 'in', ['queued', 'running'])
    .executeTakeFirst();
}

async function queueFacts(db: Reader): ReturnType<RunStore['queueFacts']> {
  const found = await db
    .selectFrom('runs')
    .select(['state', (row) => row.fn.countAll<string>().as('count')])
    .groupBy('state')
    .execute();
  const counts: Record<RunState, number> = { queued: 0, running: 0, completed: 0, errored: 0, canceled: 0 };
  for (const { state, count } of found) {
    counts[state] = Number(count);
  }
  const oldest = await db
    .selectFrom('runs')
    .select(
      sql<number | null>`extract(epoch FROM clock_timestamp() - min(queued_at))::float8 * 1000`.as('ms'),
    )
    .where('state', '=', 'queued')
    .executeTakeFirst();
  return { counts, oldestQueuedMs: oldest?.ms ?? null };
}

/** Runs of submissions themselves, in words that an index has too. */
const OF_SUBMISSIONS = sql<boolean>`kind IN ('first', 'dry')`;

async function submissionsWait(db: Reader): Promise<boolean> {
  const found = await db
    .selectFrom('runs')
    .select('id')
    .where('state', '=', 'queued')
    .where(OF_SUBMISSIONS)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

/** Submissions go before re-grades, and checks have a line of their own. */
async function positionOf(db: Reader, runId: string): Promise<number | undefined> {
  const run = await db
    .selectFrom('runs')
    .select(['id', 'kind'])
    .where('id', '=', runId)
    .where('state', '=', 'queued')
    .executeTakeFirst();
  if (!run) {
    return undefined;
  }
  const ownLine = ['check', 'regrade'].includes(run.kind) ? sql<boolean>`kind = ${run.kind}` : OF_SUBMISSIONS;
  // Compared where the microseconds are: many runs are queued in one millisecond.
  const earlier = sql<boolean>`${ownLine} AND
    (queued_at, id) < (SELECT own.queued_at, own.id FROM runs AS own WHERE own.id = ${run.id}::uuid)`;
  const found = await db
    .selectFrom('runs')
    .select((row) => row.fn.countAll<string>().as('count'))
    .where('state', '=', 'queued')
    .where(run.kind === 'regrade' ? sql<boolean>`(${OF_SUBMISSIONS} OR ${earlier})` : earlier)
    .executeTakeFirstOrThrow();
  return Number(found.count);
}
