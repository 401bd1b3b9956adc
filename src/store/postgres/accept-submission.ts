import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { NewSubmission, Refusal, Submission, SubmissionStore } from '../submission-store.ts';
import type { Tx } from './connection.ts';
import { queueRun } from './queue-run.ts';
import { findByIdempotencyKey, findSubmission } from './submission-rows.ts';
import { idOf } from './values.ts';
import { queueWebhooks, submissionFacts } from './webhook-rows.ts';

type Accepted = Awaited<ReturnType<SubmissionStore['accept']>>;

/** See SubmissionStore. The lock on the invitation makes two uploads at once come one after the other. */
export async function acceptSubmission(tx: Tx, submission: NewSubmission): Promise<Accepted> {
  const invitation = await lockInvitation(tx, submission.invitationId);
  if (!invitation) {
    return refuse({ kind: 'unknown' });
  }
  const replay = submission.idempotency && (await findReplay(tx, submission));
  if (replay) {
    return replay;
  }
  const used = await usedAttempts(tx, invitation.id, submission.dryRun);
  const refusal = judge(invitation, submission.dryRun, used.counted);
  if (refusal) {
    return refuse(refusal);
  }
  const id = await insertSubmission(tx, submission, invitation, used.all + 1);
  const run = await queueRun(tx, {
    submissionId: id,
    versionId: invitation.versionId,
    kind: submission.dryRun ? 'dry' : 'first',
    seed: randomUUID(),
    previousRunId: null,
  });
  const stored = await findSubmission(tx, id);
  if (!stored) {
    throw new Error('a submission was not there after it was written');
  }
  await queueWebhooks(tx, 'submission.received', {
    submission: submissionFacts(stored),
    run: { id: run.id },
  });
  return { ok: true, submission: stored, run, replayed: false };
}

type LockedInvitation = NonNullable<Awaited<ReturnType<typeof lockInvitation>>>;

async function lockInvitation(tx: Tx, id: string) {
  return await tx
    .selectFrom('invitations')
    .innerJoin('challengeVersions', 'challengeVersions.id', 'invitations.versionId')
    .select([
      'invitations.id',
      'invitations.candidateId',
      'invitations.versionId',
      'invitations.opensAt',
      'invitations.closesAt',
      'invitations.maxAttempts',
      'invitations.maxDryRuns',
      'invitations.late',
      'invitations.revokedAt',
      'challengeVersions.slug',
    ])
    .select([
      sql<boolean>`clock_timestamp() < opens_at`.as('early'),
      sql<boolean>`clock_timestamp() > closes_at`.as('over'),
    ])
    .where('invitations.id', '=', idOf(id))
    .forUpdate('invitations')
    .executeTakeFirst();
}

async function findReplay(
  tx: Tx,
  { invitationId, idempotency }: NewSubmission,
): Promise<Accepted | undefined> {
  const known = idempotency && (await findByIdempotencyKey(tx, invitationId, idempotency.key));
  if (!known) {
    return undefined;
  }
  const { submission, run, bodyDigest } = known;
  return bodyDigest === idempotency.bodyDigest
    ? { ok: true, submission, run, replayed: true }
    : refuse({ kind: 'idempotency-conflict' });
}

async function usedAttempts(tx: Tx, invitationId: string, dryRun: boolean) {
  return await tx
    .selectFrom('submissions')
    .select([
      sql<number>`count(*)::integer`.as('all'),
      sql<number>`(count(*) FILTER (WHERE NOT refunded))::integer`.as('counted'),
    ])
    .where('invitationId', '=', invitationId)
    .where('dryRun', '=', dryRun)
    .executeTakeFirstOrThrow();
}

function judge(invitation: LockedInvitation, dryRun: boolean, used: number): Refusal | undefined {
  if (invitation.revokedAt !== null) {
    return { kind: 'revoked' };
  }
  if (invitation.early) {
    return { kind: 'not-open', opensAt: invitation.opensAt };
  }
  if (invitation.over && invitation.late === 'refuse') {
    return { kind: 'closed', closesAt: invitation.closesAt };
  }
  const max = dryRun ? invitation.maxDryRuns : invitation.maxAttempts;
  return used >= max ? { kind: 'no-attempts', max, used } : undefined;
}

async function insertSubmission(
  tx: Tx,
  submission: NewSubmission,
  invitation: LockedInvitation,
  attempt: number,
): Promise<Submission['id']> {
  const { idempotency, upload, tar } = submission;
  const { id } = await tx
    .insertInto('submissions')
    .values({
      invitationId: invitation.id,
      versionId: invitation.versionId,
      candidateId: invitation.candidateId,
      slug: invitation.slug,
      dryRun: submission.dryRun,
      attempt,
      late: invitation.over,
      uploadBlob: upload.key,
      uploadBytes: upload.bytes,
      tarBlob: tar.key,
      digest: submission.digest,
      files: JSON.stringify(submission.files),
      notices: JSON.stringify(submission.notices),
      idempotencyKey: idempotency?.key ?? null,
      bodyDigest: idempotency?.bodyDigest ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

function refuse(refusal: Refusal): { ok: false; refusal: Refusal } {
  return { ok: false, refusal };
}
