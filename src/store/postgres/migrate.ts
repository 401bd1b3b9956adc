import type pg from 'pg';
import { InfraError } from '../../domain/errors.ts';
import { MIGRATIONS } from './migrations.ts';

/** Any number, the same in all versions of assay: who holds it migrates. */
const MIGRATION_LOCK = 7_223_107;

/**
 * Brings the schema to the version of this program, each step in a transaction of its own; of several processes one
 * works and the others wait. Throws InfraError `STORE_SCHEMA_NEWER` when a later assay has been here.
 */
export async function migrate(client: pg.ClientBase): Promise<void> {
  // A first runner may take longer than any statement of the service may.
  await client.query('SET statement_timeout = 0; SET lock_timeout = 0');
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  try {
    await client.query(`CREATE TABLE IF NOT EXISTS schema_versions
      (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`);
    const present = await schemaVersion(client);
    assertNotNewer(present);
    for (let version = present + 1; version <= MIGRATIONS.length; version += 1) {
      await applyVersion(client, version);
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  }
}

async function applyVersion(client: pg.ClientBase, version: number): Promise<void> {
  await client.query('BEGIN');
  try {
    for (const statement of MIGRATIONS[version - 1] ?? []) {
      await client.query(statement);
    }
    await client.query('INSERT INTO schema_versions (version) VALUES ($1)', [version]);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}

/** Throws InfraError when the schema is not the one this program works with. */
export async function assertSchema(client: Pick<pg.Pool, 'query'>): Promise<void> {
  const present = await schemaVersion(client);
  assertNotNewer(present);
  if (present < MIGRATIONS.length) {
    throw new InfraError(
      'STORE_SCHEMA_OLDER',
      `the database has schema version ${present}, and this assay needs ${MIGRATIONS.length}`,
      { mend: 'start "assay serve" of this version once: it migrates' },
    );
  }
}

function assertNotNewer(present: number): void {
  if (present > MIGRATIONS.length) {
    throw new InfraError(
      'STORE_SCHEMA_NEWER',
      `the database has schema version ${present}, and this assay knows only ${MIGRATIONS.length}`,
      { mend: 'run the newer assay that has migrated it, or restore a backup from before' },
    );
  }
}

async function schemaVersion(client: Pick<pg.Pool, 'query'>): Promise<number> {
  const found = await client.query<{ version: number | null }>(
    'SELECT max(version) AS version FROM schema_versions',
  );
  return found.rows[0]?.version ?? 0;
}
