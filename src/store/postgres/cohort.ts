import { sql } from 'kysely';
import type { RawBuilder } from 'kysely';
import type { Cohort, CohortEntry } from '../review-store.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Reader } from './connection.ts';
import { pageSize, readCursor, toPage } from './paging.ts';
import { idOf } from './values.ts';

interface Of {
  slug: string;
  version: number | undefined;
}

/** See ReviewStore. The database counts, so that a large challenge costs an answer of one page. */
export async function readCohort(db: Reader, of: Of, page: PageRequest): Promise<Cohort> {
  const [counts, entries] = [await count(db, of), await list(db, of, page)];
  return { ...counts, entries };
}

/** The newest completed run of each submission after `place`, in the order of their ids. */
function newestRuns({ slug, version }: Of, place?: string): RawBuilder<unknown> {
  const after = place === undefined ? sql`` : sql`AND s.id > ${idOf(place)}::uuid`;
  const against = version === undefined ? sql`` : sql`AND v.version = ${version}`;
  return sql`
    SELECT DISTINCT ON (s.id) s.id AS submission_id, r.id AS run_id, r.verdict, r.score, r.finished_at
    FROM submissions s JOIN runs r ON r.submission_id = s.id JOIN challenge_versions v ON v.id = r.version_id
    WHERE s.slug = ${slug} AND NOT s.dry_run AND r.state = 'completed' ${against} ${after}
    ORDER BY s.id, r.created_at DESC`;
}

async function count(db: Reader, of: Of): Promise<Omit<Cohort, 'entries'>> {
  const found = await sql<{ count: number; verdicts: Cohort['verdicts'] | null; score: Cohort['score'] }>`
    WITH newest AS (${newestRuns(of)}), verdicts AS (
      SELECT verdict, count(*)::integer AS of_it FROM newest WHERE verdict IS NOT NULL GROUP BY verdict
    )
    SELECT count(*)::integer AS count,
      (SELECT json_object_agg(verdict, of_it) FROM verdicts) AS verdicts,
      percentile_cont(ARRAY[0, 0.25, 0.5, 0.75, 1]) WITHIN GROUP (ORDER BY score) AS score
    FROM newest`.execute(db);
  const [row] = found.rows;
  return { count: row?.count ?? 0, verdicts: row?.verdicts ?? {}, score: row?.score ?? null };
}

async function list(db: Reader, of: Of, page: PageRequest): Promise<Page<CohortEntry>> {
  const after = readCursor(page);
  const found = await sql<CohortEntry>`${newestRuns(of, after?.id)} LIMIT ${pageSize(page) + 1}`.execute(db);
  return toPage(
    found.rows,
    page,
    (row) => row,
    (row) => ({ key: 0, id: row.submissionId }),
  );
}
