import { sql } from 'kysely';
import type { Page, PageRequest } from '../page.ts';
import type { Run } from '../run-store.ts';
import type { SubmissionFilter, SubmissionStore, SubmissionSummary } from '../submission-store.ts';
import { acceptSubmission } from './accept-submission.ts';
import type { Connection, Reader } from './connection.ts';
import { pageSize, readCursor, toPage } from './paging.ts';
import { RUN_COLUMNS } from './run-rows.ts';
import { findByIdempotencyKey, findSubmission, selectSubmissions } from './submission-rows.ts';
import { idOf } from './values.ts';

export function submissionStore(connection: Connection): SubmissionStore {
  return {
    accept: (submission) => connection.write((tx) => acceptSubmission(tx, submission)),
    findByIdempotencyKey: (invitationId, key) =>
      connection.read((db) => findByIdempotencyKey(db, invitationId, key)),
    get: (id) => connection.read((db) => findSubmission(db, id)),
    listOfInvitation: (invitationId) =>
      connection.read(async (db) => {
        const submissions = await selectSubmissions(db)
          .where('submissions.invitationId', '=', idOf(invitationId))
          .orderBy('submissions.createdAt', 'desc')
          .orderBy('submissions.id', 'desc')
          .execute();
        const runs = await newestRuns(
          db,
          submissions.map((submission) => submission.id),
        );
        return submissions.flatMap((submission) => {
          const run = runs.get(submission.id);
          return run ? [{ submission, run }] : [];
        });
      }),
    list: (filter, page) => connection.read((db) => list(db, filter, page)),
  };
}

async function newestRuns(db: Reader, submissionIds: readonly string[]): Promise<Map<string, Run>> {
  if (submissionIds.length === 0) {
    return new Map();
  }
  const runs = await db
    .selectFrom('runs')
    .innerJoin('submissions', 'submissions.runId', 'runs.id')
    .select(RUN_COLUMNS)
    .where('submissions.id', 'in', [...submissionIds])
    .execute();
  return new Map(runs.map((run) => [run.submissionId ?? '', run]));
}

const SCORE = sql<number>`coalesce(run_score, -1)`;

async function list(
  db: Reader,
  filter: SubmissionFilter,
  page: PageRequest,
): Promise<Page<SubmissionSummary>> {
  const found = await sorted(filtered(db, filter), filter.sort, page)
    .limit(pageSize(page) + 1)
    .execute();
  return toPage(found, page, toSummary, (row) => ({
    key: filter.sort === 'score' ? (row.runScore ?? -1) : row.createdAt.getTime(),
    id: row.id,
  }));
}

/** The rows that a filter leaves, from the columns of the submission alone, so that an index can give their order. */
function filtered(db: Reader, filter: SubmissionFilter) {
  let rows = db
    .selectFrom('submissions')
    .innerJoin('challengeVersions', 'challengeVersions.id', 'submissions.versionId')
    .innerJoin('candidates', 'candidates.id', 'submissions.candidateId')
    .select([
      'submissions.id',
      'submissions.slug',
      'challengeVersions.version',
      'challengeVersions.blind',
      'submissions.candidateId',
      'candidates.name as candidateName',
      'submissions.dryRun',
      'submissions.attempt',
      'submissions.late',
      'submissions.createdAt',
      'submissions.runId',
      'submissions.runState',
      'submissions.runVerdict',
      'submissions.runScore',
      'submissions.runFinishedAt',
    ]);
  if (filter.challenges !== null) {
    rows = rows.where(sql<boolean>`submissions.slug = ANY (${[...filter.challenges]}::text[])`);
  }
  if (filter.slug !== undefined) {
    rows = rows.where('submissions.slug', '=', filter.slug);
  }
  if (filter.state !== undefined) {
    rows = rows.where('submissions.runState', '=', filter.state);
  }
  if (filter.verdict !== undefined) {
    rows = rows.where('submissions.runVerdict', '=', filter.verdict);
  }
  if (filter.minScore !== undefined) {
    rows = rows.where(SCORE, '>=', filter.minScore);
  }
  if (filter.dryRuns !== undefined) {
    rows = rows.where('submissions.dryRun', '=', filter.dryRuns);
  }
  return rows;
}

type Filtered = ReturnType<typeof filtered>;

function sorted(rows: Filtered, sort: SubmissionFilter['sort'], page: PageRequest): Filtered {
  const after = readCursor(page);
  if (sort === 'score') {
    const from = after && sql<boolean>`(${SCORE}, submissions.id) < (${after.key}, ${idOf(after.id)}::uuid)`;
    return (from ? rows.where(from) : rows).orderBy(SCORE, 'desc').orderBy('submissions.id', 'desc');
  }
  const way = sort === 'newest' ? 'desc' : 'asc';
  const beyond = sort === 'newest' ? sql`<` : sql`>`;
  const from =
    after &&
    sql<boolean>`(submissions.created_at, submissions.id) ${beyond} (${new Date(after.key)}, ${idOf(after.id)}::uuid)`;
  return (from ? rows.where(from) : rows)
    .orderBy('submissions.createdAt', way)
    .orderBy('submissions.id', way);
}

function toSummary(row: Awaited<ReturnType<Filtered['execute']>>[number]): SubmissionSummary {
  const { runId, runState, runVerdict, runScore, runFinishedAt, ...submission } = row;
  return {
    ...submission,
    run: {
      id: runId ?? '',
      state: runState ?? 'queued',
      verdict: runVerdict,
      score: runScore,
      finishedAt: runFinishedAt,
    },
  };
}
