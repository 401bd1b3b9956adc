import { sql } from 'kysely';
import type { OutcomeFacts } from '../run-store.ts';
import type { Reader } from './connection.ts';

/** See RunStore. Checks of challenges are no gradings and not counted. */
export async function outcomeFacts(db: Reader): Promise<OutcomeFacts> {
  const [verdicts, failures, stages] = await Promise.all([
    sql<{ name: string; count: number }>`
      SELECT verdict AS name, count(*)::integer AS count FROM runs
      WHERE state = 'completed' AND kind <> 'check' GROUP BY verdict`.execute(db),
    // A run that workers died of has no result: its failure is ours.
    sql<{ name: string; count: number }>`
      SELECT coalesce(results.failure->>'blame', 'infra') AS name, count(*)::integer AS count
      FROM runs LEFT JOIN results ON results.run_id = runs.id
      WHERE runs.kind <> 'check' AND (results.failure IS NOT NULL OR runs.state = 'errored')
      GROUP BY 1`.execute(db),
    sql<{ stage: string; runs: number; p50Ms: number; p95Ms: number }>`
      SELECT stage, count(*)::integer AS runs,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS "p50Ms",
        percentile_cont(0.95) WITHIN GROUP (ORDER BY ms) AS "p95Ms"
      FROM (
        SELECT part->>'phase' AS stage,
          (part->>'endedAt')::float8 - (part->>'beganAt')::float8 AS ms
        FROM runs, json_array_elements(runs.phases) AS part
        WHERE runs.finished_at > clock_timestamp() - interval '1 hour' AND part->>'endedAt' IS NOT NULL
      ) AS parts
      GROUP BY stage`.execute(db),
  ]);
  return {
    verdicts: toRecord(verdicts.rows),
    failures: toRecord(failures.rows),
    stages: stages.rows,
  };
}

function toRecord(rows: readonly { name: string; count: number }[]): Record<string, number> {
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}
