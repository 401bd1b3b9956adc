import type { Run } from '../run-store.ts';
import type { Submission } from '../submission-store.ts';
import type { Reader, Tx } from './connection.ts';
import { RUN_COLUMNS } from './run-rows.ts';
import { idOf } from './values.ts';

/** Submissions as the port shows them. */
export function selectSubmissions(db: Reader | Tx) {
  return db
    .selectFrom('submissions')
    .innerJoin('challengeVersions', 'challengeVersions.id', 'submissions.versionId')
    .innerJoin('candidates', 'candidates.id', 'submissions.candidateId')
    .select([
      'submissions.id',
      'submissions.invitationId',
      'submissions.versionId',
      'submissions.slug',
      'challengeVersions.version',
      'submissions.candidateId',
      'candidates.name as candidateName',
      'submissions.dryRun',
      'submissions.attempt',
      'submissions.late',
      'submissions.refunded',
      'submissions.uploadBlob',
      'submissions.uploadBytes',
      'submissions.tarBlob',
      'submissions.digest',
      'submissions.files',
      'submissions.notices',
      'submissions.createdAt',
    ]);
}

/** Also within a transaction that has written it. */
export async function findSubmission(db: Reader | Tx, id: string): Promise<Submission | undefined> {
  return await selectSubmissions(db).where('submissions.id', '=', idOf(id)).executeTakeFirst();
}

/** The submission that a key of an invitation made, with its first run. */
export async function findByIdempotencyKey(
  db: Reader | Tx,
  invitationId: string,
  key: string,
): Promise<{ submission: Submission; run: Run; bodyDigest: string } | undefined> {
  const found = await selectSubmissions(db)
    .select('submissions.bodyDigest')
    .where('submissions.invitationId', '=', idOf(invitationId))
    .where('submissions.idempotencyKey', '=', key)
    .executeTakeFirst();
  if (!found) {
    return undefined;
  }
  const { bodyDigest, ...submission } = found;
  const run = await db
    .selectFrom('runs')
    .select(RUN_COLUMNS)
    .where('submissionId', '=', submission.id)
    .orderBy('createdAt')
    .limit(1)
    .executeTakeFirstOrThrow();
  return { submission, run, bodyDigest: bodyDigest ?? '' };
}
