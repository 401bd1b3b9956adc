import { sql } from 'kysely';
import type { Principal } from '../../domain/access.ts';
import type { AccessStore, Token } from '../access-store.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Connection, Reader } from './connection.ts';
import { deleteCandidate } from './delete-candidate.ts';
import { invitationStore } from './invitations.ts';
import { isOlder, newestPage, pageSize, readCursor } from './paging.ts';
import { clock, idOf } from './values.ts';

const TOKEN_COLUMNS = [
  'id',
  'role',
  'name',
  'invitationId',
  'challenges',
  'createdAt',
  'expiresAt',
  'revokedAt',
  'lastUsedAt',
] as const;

export function accessStore(connection: Connection): AccessStore {
  return {
    authenticate: (hash) => authenticate(connection, hash),
    ...tokenStore(connection),
    ...invitationStore(connection),
    deleteCandidate: (candidateId) => connection.write((tx) => deleteCandidate(tx, candidateId)),
  };
}

type TokenStore = Pick<
  AccessStore,
  'addToken' | 'listTokens' | 'revokeToken' | 'setReviewerChallenges' | 'countAdmins'
>;

function tokenStore(connection: Connection): TokenStore {
  return {
    addToken: (token) =>
      connection.read((db) =>
        db
          .insertInto('tokens')
          .values({ ...token, challenges: token.challenges && [...token.challenges] })
          .returning(TOKEN_COLUMNS)
          .executeTakeFirstOrThrow(),
      ),
    listTokens: (filter, page) => connection.read((db) => listTokens(db, filter, page)),
    revokeToken: (id) =>
      connection.read(async (db) => {
        const changed = await db
          .updateTable('tokens')
          .set((token) => ({ revokedAt: token.fn.coalesce('revokedAt', clock()) }))
          .where('id', '=', idOf(id))
          .executeTakeFirst();
        return changed.numUpdatedRows > 0n;
      }),
    setReviewerChallenges: (tokenId, challenges) =>
      connection.read(async (db) => {
        const changed = await db
          .updateTable('tokens')
          .set({ challenges: challenges && [...challenges] })
          .where('id', '=', idOf(tokenId))
          .where('role', '=', 'reviewer')
          .executeTakeFirst();
        return changed.numUpdatedRows > 0n;
      }),
    countAdmins: () =>
      connection.read(async (db) => {
        const { count } = await db
          .selectFrom('tokens')
          .select((token) => token.fn.countAll<string>().as('count'))
          .where('role', '=', 'admin')
          .where('revokedAt', 'is', null)
          .where((token) => token.or([token('expiresAt', 'is', null), token('expiresAt', '>', clock())]))
          .executeTakeFirstOrThrow();
        return Number(count);
      }),
  };
}

async function listTokens(
  db: Reader,
  filter: { candidates: boolean },
  page: PageRequest,
): Promise<Page<Token>> {
  const after = readCursor(page);
  let rows = db.selectFrom('tokens').select(TOKEN_COLUMNS);
  if (!filter.candidates) {
    rows = rows.where('role', '!=', 'candidate');
  }
  if (after) {
    rows = rows.where(isOlder('tokens', after));
  }
  const found = await rows
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(pageSize(page) + 1)
    .execute();
  return newestPage(found, page);
}

/** Each request asks, so that a revocation counts from the next one; the note of the use is written once a minute. */
async function authenticate(connection: Connection, hash: string): Promise<Principal | undefined> {
  return await connection.read(async (db) => {
    const found = await db
      .selectFrom('tokens')
      .select(['id', 'role', 'name', 'invitationId', 'challenges'])
      .select(
        sql<boolean>`last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute'`.as(
          'stale',
        ),
      )
      .where('hash', '=', hash)
      .where('revokedAt', 'is', null)
      .where((token) => token.or([token('expiresAt', 'is', null), token('expiresAt', '>', clock())]))
      .executeTakeFirst();
    if (!found) {
      return undefined;
    }
    if (found.stale) {
      await db.updateTable('tokens').set({ lastUsedAt: clock() }).where('id', '=', found.id).execute();
    }
    const { id, role, name, invitationId, challenges } = found;
    return { tokenId: id, role, name, invitationId, challenges: role === 'reviewer' ? challenges : null };
  });
}
