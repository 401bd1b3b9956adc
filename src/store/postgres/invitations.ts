import { sql } from 'kysely';
import type { AccessStore, Invitation, NewInvitation } from '../access-store.ts';
import type { Page, PageRequest } from '../page.ts';
import type { Connection, Reader, Tx } from './connection.ts';
import { isOlder, newestPage, pageSize, readCursor } from './paging.ts';
import { clock, idOf } from './values.ts';

type InvitationStore = Pick<
  AccessStore,
  'invite' | 'getInvitation' | 'listInvitations' | 'extendInvitation' | 'releaseFeedback' | 'revokeInvitation'
>;

export function invitationStore(connection: Connection): InvitationStore {
  return {
    invite: (invitation) => connection.write((tx) => invite(tx, invitation)),
    getInvitation: (id) => connection.read((db) => findInvitation(db, id)),
    listInvitations: (filter, page) => connection.read((db) => list(db, filter, page)),
    extendInvitation: (id, change) => connection.write((tx) => extend(tx, id, change)),
    releaseFeedback: (id) =>
      connection.write(async (tx) => {
        await tx
          .updateTable('invitations')
          .set((row) => ({ releasedAt: row.fn.coalesce('releasedAt', clock()) }))
          .where('id', '=', idOf(id))
          .execute();
        return await findInvitation(tx, id);
      }),
    revokeInvitation: (id) =>
      connection.write(async (tx) => {
        await tx
          .updateTable('invitations')
          .set((row) => ({ revokedAt: row.fn.coalesce('revokedAt', clock()) }))
          .where('id', '=', idOf(id))
          .execute();
        await tx
          .updateTable('tokens')
          .set((row) => ({ revokedAt: row.fn.coalesce('revokedAt', clock()) }))
          .where('invitationId', '=', idOf(id))
          .execute();
        return await findInvitation(tx, id);
      }),
  };
}

async function invite(tx: Tx, invitation: NewInvitation): Promise<Invitation> {
  const candidate = await tx
    .insertInto('candidates')
    .values(invitation.candidate)
    .returning('id')
    .executeTakeFirstOrThrow();
  const { versionId, opensAt, closesAt, maxAttempts, maxDryRuns, late } = invitation;
  const { id } = await tx
    .insertInto('invitations')
    .values({ candidateId: candidate.id, versionId, opensAt, closesAt, maxAttempts, maxDryRuns, late })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('tokens')
    .values({
      role: 'candidate',
      name: invitation.candidate.name,
      invitationId: id,
      hash: invitation.tokenHash,
      challenges: null,
      expiresAt: invitation.tokenExpiresAt,
    })
    .execute();
  const made = await findInvitation(tx, id);
  if (!made) {
    throw new Error('an invitation was not there after it was written');
  }
  return made;
}

function query(db: Reader | Tx) {
  return db
    .selectFrom('invitations')
    .innerJoin('candidates', 'candidates.id', 'invitations.candidateId')
    .innerJoin('challengeVersions', 'challengeVersions.id', 'invitations.versionId')
    .select([
      'invitations.id',
      'invitations.candidateId',
      'candidates.name as candidateName',
      'candidates.email as candidateEmail',
      'invitations.versionId',
      'challengeVersions.slug',
      'challengeVersions.version',
      'invitations.opensAt',
      'invitations.closesAt',
      'invitations.maxAttempts',
      'invitations.maxDryRuns',
      'invitations.late',
      'invitations.releasedAt',
      'invitations.revokedAt',
      'invitations.createdAt',
    ])
    .select([usedOf(false).as('usedAttempts'), usedOf(true).as('usedDryRuns')]);
}

function usedOf(dryRun: boolean) {
  return sql<number>`(SELECT count(*)::integer FROM submissions s
    WHERE s.invitation_id = invitations.id AND s.dry_run = ${dryRun} AND NOT s.refunded)`;
}

/** Also within a transaction that has changed it. */
export async function findInvitation(db: Reader | Tx, id: string): Promise<Invitation | undefined> {
  return await query(db).where('invitations.id', '=', idOf(id)).executeTakeFirst();
}

async function list(db: Reader, filter: { slug?: string }, page: PageRequest): Promise<Page<Invitation>> {
  const after = readCursor(page);
  let rows = query(db);
  if (filter.slug !== undefined) {
    rows = rows.where('challengeVersions.slug', '=', filter.slug);
  }
  if (after) {
    rows = rows.where(isOlder('invitations', after));
  }
  const found = await rows
    .orderBy('invitations.createdAt', 'desc')
    .orderBy('invitations.id', 'desc')
    .limit(pageSize(page) + 1)
    .execute();
  return newestPage(found, page);
}

async function extend(
  tx: Tx,
  id: string,
  change: { closesAt?: Date; extraAttempts?: number; extraDryRuns?: number },
): Promise<Invitation | undefined> {
  const before = await tx
    .selectFrom('invitations')
    .select(['id', 'closesAt'])
    .where('id', '=', idOf(id))
    .forUpdate()
    .executeTakeFirst();
  if (!before) {
    return undefined;
  }
  const { closesAt, extraAttempts = 0, extraDryRuns = 0 } = change;
  await tx
    .updateTable('invitations')
    .set((row) => ({
      maxAttempts: row('maxAttempts', '+', extraAttempts),
      maxDryRuns: row('maxDryRuns', '+', extraDryRuns),
      ...(closesAt === undefined ? {} : { closesAt }),
    }))
    .where('id', '=', before.id)
    .execute();
  if (closesAt !== undefined) {
    // The token keeps the time it had after the end of the window.
    const moved = sql<Date>`expires_at + (${closesAt}::timestamptz - ${before.closesAt}::timestamptz)`;
    await tx.updateTable('tokens').set({ expiresAt: moved }).where('invitationId', '=', before.id).execute();
  }
  return await findInvitation(tx, before.id);
}
