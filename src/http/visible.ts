import type { FastifyRequest } from 'fastify';
import type { Principal } from '../domain/access.ts';
import type { ChallengeVersion } from '../store/challenge-store.ts';
import type { Run } from '../store/run-store.ts';
import type { Submission } from '../store/submission-store.ts';
import { audit } from './audit.ts';
import type { HttpDeps } from './http-deps.ts';
import { callerOf } from './plugins/access.ts';
import { notFound } from './problems.ts';

/** Whether a member of staff was granted this challenge. Candidates never. */
export function mayReview(caller: Principal, slug: string): boolean {
  return caller.role !== 'candidate' && (caller.challenges === null || caller.challenges.includes(slug));
}

/** The submission, if it exists and this caller may see it; else NOT_FOUND, and an audit row for somebody else's. */
export async function visibleSubmission(
  deps: HttpDeps,
  request: FastifyRequest,
  id: string,
): Promise<Submission> {
  const caller = callerOf(request);
  const submission = await deps.store.submissions.get(id);
  if (submission === undefined) {
    throw notFound('submission');
  }
  const own = caller.role === 'candidate' && submission.invitationId === caller.invitationId;
  if (!own && !mayReview(caller, submission.slug)) {
    await audit(deps.store, request, 'submission.denied', `submission ${id}`);
    throw notFound('submission');
  }
  return submission;
}

export interface VisibleRun {
  run: Run;
  /** Undefined for the check of a version. */
  submission: Submission | undefined;
  version: ChallengeVersion;
}

/** The run with what it belongs to, under the same rule. For staff. */
export async function visibleRun(deps: HttpDeps, request: FastifyRequest, id: string): Promise<VisibleRun> {
  const run = await deps.store.runs.get(id);
  const version = run && (await deps.store.challenges.get(run.versionId));
  if (run === undefined || version === undefined) {
    throw notFound('run');
  }
  if (!mayReview(callerOf(request), version.slug)) {
    await audit(deps.store, request, 'run.denied', `run ${id}`);
    throw notFound('run');
  }
  const submission =
    run.submissionId === null ? undefined : await deps.store.submissions.get(run.submissionId);
  return { run, submission, version };
}

/** Blind challenges hide from reviewers who handed in. Admins invite, so they know. */
export function mayKnowCandidate(caller: Principal, blind: boolean): boolean {
  return caller.role !== 'reviewer' || !blind;
}

/** The newest run of a submission, and the newest with a result. Every submission has a run. */
export async function runsOf(
  deps: HttpDeps,
  submissionId: string,
): Promise<{ newest: Run; graded: Run | undefined; all: Run[] }> {
  const all = (await deps.store.runs.listOfSubmission(submissionId)).sort(
    (a, b) => b.createdAt.getTime() - a.createdAt.getTime(),
  );
  const [newest] = all;
  if (newest === undefined) {
    throw notFound('submission');
  }
  return { newest, graded: all.find((run) => run.state === 'completed'), all };
}
