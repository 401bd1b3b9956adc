import { sql } from 'kysely';
import type { Reader, Tx } from './connection.ts';

/** Those of `blobs` that no row refers to. */
export async function unusedBlobs(db: Reader | Tx, blobs: readonly string[]): Promise<string[]> {
  if (blobs.length === 0) {
    return [];
  }
  const found = await sql<{ blob: string }>`
    SELECT blob FROM unnest(${[...new Set(blobs)]}::text[]) AS asked (blob)
    WHERE NOT EXISTS (SELECT FROM submissions WHERE upload_blob = asked.blob)
      AND NOT EXISTS (SELECT FROM submissions WHERE tar_blob = asked.blob)
      AND NOT EXISTS (SELECT FROM challenge_versions WHERE bundle_blob = asked.blob)
      AND NOT EXISTS (SELECT FROM artifacts WHERE artifacts.blob = asked.blob)`.execute(db);
  return found.rows.map((row) => row.blob);
}
