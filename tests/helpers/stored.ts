import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { FeedbackSchema } from '../../src/domain/challenge.ts';
import type { Feedback } from '../../src/domain/challenge.ts';
import type { Invitation } from '../../src/store/access-store.ts';
import type { ChallengeVersion } from '../../src/store/challenge-store.ts';
import type { Run, RunResult } from '../../src/store/run-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { NewSubmission } from '../../src/store/submission-store.ts';

const HOUR_MS = 3_600_000;

export function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

/** A published version of a challenge of its own. */
export async function storedVersion(
  store: Store,
  slug = `c-${randomBytes(4).toString('hex')}`,
  bundleBlob = digestOf(`bundle of ${slug}`),
  feedback: Partial<Feedback> = {},
): Promise<ChallengeVersion> {
  const { version } = await store.challenges.addVersion({
    slug,
    title: 'A challenge',
    blind: false,
    digest: digestOf(randomUUID()),
    bundleBlob,
    policy: {
      max: 3,
      windowMs: HOUR_MS,
      dryRuns: 20,
      late: 'refuse',
      runtimes: ['node', 'python', 'go'],
      feedback: FeedbackSchema.parse(feedback),
      rubric: [],
    },
  });
  return (await store.challenges.setState(version.id, ['draft'], 'published')) ?? version;
}

/** An invitation that is open now. */
export async function storedInvitation(
  store: Store,
  version: ChallengeVersion,
  overrides: Partial<Parameters<Store['access']['invite']>[0]> = {},
): Promise<Invitation & { tokenHash: string }> {
  const tokenHash = randomBytes(32).toString('hex');
  const invitation = await store.access.invite({
    candidate: { name: 'Grace', email: 'grace@example.com' },
    versionId: version.id,
    opensAt: new Date(Date.now() - HOUR_MS),
    closesAt: new Date(Date.now() + HOUR_MS),
    maxAttempts: 3,
    maxDryRuns: 20,
    late: 'refuse',
    tokenHash,
    tokenExpiresAt: new Date(Date.now() + 2 * HOUR_MS),
    ...overrides,
  });
  return { ...invitation, tokenHash };
}

/** What intake would hand over. */
export function newSubmission(
  invitation: Pick<Invitation, 'id'>,
  overrides: Partial<NewSubmission> = {},
): NewSubmission {
  const key = digestOf(randomUUID());
  return {
    invitationId: invitation.id,
    dryRun: false,
    upload: { key: digestOf(`upload ${key}`), bytes: 1000 },
    tar: { key, bytes: 2048 },
    digest: key,
    files: [{ path: 'server.js', bytes: 12, executable: false }],
    notices: [],
    idempotency: undefined,
    ...overrides,
  };
}

/** An accepted submission and its queued run. */
export async function storedRun(
  store: Store,
): Promise<{ run: Run; submissionId: string; invitation: Invitation }> {
  const invitation = await storedInvitation(store, await storedVersion(store));
  const accepted = await store.submissions.accept(newSubmission(invitation));
  if (!accepted.ok) {
    throw new Error(`refused: ${accepted.refusal.kind}`);
  }
  return { run: accepted.run, submissionId: accepted.submission.id, invitation };
}

export const PASSED: RunResult = {
  state: 'completed',
  verdict: 'passed',
  score: 100,
  reason: null,
  failure: null,
  report: { reportVersion: 1, note: 'a report' },
  artifacts: [],
};
