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

/** What the newest completed run of each counted submission found. Both ways an index has all of it, in order. */
function newestResults({ slug, version }: Of, place?: string): RawBuilder<unknown> {
  if (version === undefined) {
    const after = place === undefined ? sql`` : sql`AND s.id > ${idOf(place)}::uuid`;
    return sql`
      SELECT s.id AS submission_id, s.run_verdict AS verdict, s.run_score AS score FROM submissions s
      WHERE s.slug = ${slug} AND NOT s.dry_run AND s.run_verdict IS NOT NULL ${after} ORDER BY s.id`;
  }
  const after = place === undefined ? sql`` : sql`AND r.submission_id > ${idOf(place)}::uuid`;
  return sql`
    SELECT DISTINCT ON (r.submission_id) r.submission_id, r.verdict, r.score FROM runs r
    WHERE r.version_id = ${versionId(slug, version)} AND r.state = 'completed'
      AND r.kind IN ('first', 'regrade') ${after}
    ORDER BY r.submission_id, r.created_at DESC, r.id DESC`;
}

function versionId(slug: string, version: number): RawBuilder<unknown> {
  return sql`(SELECT id FROM challenge_versions WHERE slug = ${slug} AND version = ${version})`;
}

async function count(db: Reader, of: Of): Promise<Omit<Cohort, 'entries'>> {
  const found = await sql<{ count: number; verdicts: Cohort['verdicts'] | null; score: Cohort['score'] }>`
    WITH newest AS (${newestResults(of)}), verdicts AS (
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
  const against =
    of.version === undefined ? sql`` : sql`AND runs.version_id = ${versionId(of.slug, of.version)}`;
  const found = await sql<CohortEntry>`
    WITH shown AS (${newestResults(of, after?.id)} LIMIT ${pageSize(page) + 1})
    SELECT shown.*, r.id AS run_id, r.finished_at FROM shown CROSS JOIN LATERAL (
      SELECT runs.id, runs.finished_at FROM runs
      WHERE runs.submission_id = shown.submission_id AND runs.state = 'completed' ${against}
      ORDER BY runs.created_at DESC, runs.id DESC LIMIT 1
    ) r
    ORDER BY shown.submission_id`.execute(db);
  return toPage(
    found.rows,
    page,
    (row) => row,
    (row) => ({ key: 0, id: row.submissionId }),
  );
}
