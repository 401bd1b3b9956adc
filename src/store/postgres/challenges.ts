import type { ChallengeStore, ChallengeVersion, NewVersion } from '../challenge-store.ts';
import type { Connection, Reader, Tx } from './connection.ts';
import { sql } from 'kysely';
import { clock, idOf } from './values.ts';

export function challengeStore(connection: Connection): ChallengeStore {
  return {
    addVersion: (version) => connection.write((tx) => addVersion(tx, version)),
    list: () =>
      connection.read((db) => rows(query(db).distinctOn('slug').orderBy('slug').orderBy('version', 'desc'))),
    versions: (slug) =>
      connection.read((db) => rows(query(db).where('slug', '=', slug).orderBy('version', 'desc'))),
    find: (slug, version) =>
      connection.read((db) => first(rows(query(db).where('slug', '=', slug).where('version', '=', version)))),
    get: (id) => connection.read((db) => first(rows(query(db).where('id', '=', idOf(id))))),
    newestPublished: (slug) =>
      connection.read((db) =>
        first(
          rows(
            query(db)
              .where('slug', '=', slug)
              .where('state', '=', 'published')
              .orderBy('version', 'desc')
              .limit(1),
          ),
        ),
      ),
    setState: (id, from, to) =>
      connection.write(async (tx) => {
        const changed = await tx
          .updateTable('challengeVersions')
          .set((row) => ({
            state: to,
            ...(to === 'published' ? { publishedAt: row.fn.coalesce('publishedAt', clock()) } : {}),
          }))
          .where('id', '=', idOf(id))
          .where('state', 'in', [...from])
          .executeTakeFirst();
        return changed.numUpdatedRows === 0n ? undefined : first(rows(query(tx).where('id', '=', idOf(id))));
      }),
  };
}

function query(db: Reader | Tx) {
  return db.selectFrom('challengeVersions').selectAll();
}

type Row = Awaited<ReturnType<ReturnType<typeof query>['execute']>>[number];

async function first(versions: Promise<ChallengeVersion[]>): Promise<ChallengeVersion | undefined> {
  return (await versions)[0];
}

async function rows(found: { execute(): Promise<Row[]> }): Promise<ChallengeVersion[]> {
  return (await found.execute()).map(({ checkRunId, checkOk, checkFinishedAt, ...version }) => ({
    ...version,
    check:
      checkRunId === null || checkOk === null || checkFinishedAt === null
        ? null
        : { runId: checkRunId, ok: checkOk, finishedAt: checkFinishedAt },
  }));
}

/**
 * A digest names what grading depends on; statement, handout and samples may be corrected under it, so the bundle's
 * blob follows. One writer per slug, so that numbers have no gaps.
 */
async function addVersion(
  tx: Tx,
  version: NewVersion,
): Promise<{ version: ChallengeVersion; created: boolean }> {
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`challenge ${version.slug}`}, 0))`.execute(tx);
  const known = await tx
    .updateTable('challengeVersions')
    .set({ bundleBlob: version.bundleBlob })
    .where('slug', '=', version.slug)
    .where('digest', '=', version.digest)
    .returningAll()
    .execute();
  const existing = known[0];
  if (existing) {
    const [found] = await rows({ execute: () => Promise.resolve([existing]) });
    return { version: found ?? missing(), created: false };
  }
  const next = sql<number>`(SELECT coalesce(max(version), 0) + 1 FROM challenge_versions WHERE slug = ${version.slug})`;
  const added = tx
    .insertInto('challengeVersions')
    .values({ ...version, policy: JSON.stringify(version.policy), version: next })
    .returningAll();
  const [made] = await rows(added);
  return { version: made ?? missing(), created: true };
}

function missing(): never {
  throw new Error('a version was not there after it was written');
}
