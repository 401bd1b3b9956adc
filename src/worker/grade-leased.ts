import { loadChallenge } from '../challenges/load-challenge.ts';
import { withUnpackedBundle } from '../challenges/unpack-bundle.ts';
import type { Challenge } from '../domain/challenge.ts';
import { AssayError, InfraError } from '../domain/errors.ts';
import type { Report } from '../domain/report.ts';
import type { CanonicalSubmission } from '../domain/submission.ts';
import { checkChallenge } from '../grading/check-challenge.ts';
import { gradeRun } from '../grading/grade-run.ts';
import type { GradedRun } from '../grading/grade-run.ts';
import { reportRefusal } from '../grading/report-refusal.ts';
import { decideStartPlan } from '../grading/start-plan.ts';
import { readTar } from '../shared/tar-buffer.ts';
import type { ChallengeVersion } from '../store/challenge-store.ts';
import type { Lease, RunResult } from '../store/run-store.ts';
import type { Submission } from '../store/submission-store.ts';
import type { EventTeller } from './tell-events.ts';
import type { WorkerDeps } from './worker-deps.ts';

/**
 * Grades what a lease is for and answers its result, artifacts stored. Rejects with AssayError: ours (`infra`, worth
 * another try) or the challenge's (`spec`). An abort gives a result with the state `canceled`, or the reason.
 */
export async function gradeLeased(
  deps: WorkerDeps,
  lease: Lease,
  teller: EventTeller,
  signal: AbortSignal,
): Promise<RunResult> {
  const version = await deps.store.challenges.get(lease.run.versionId);
  if (!version) {
    throw new InfraError('VERSION_MISSING', 'the challenge version of this run is not stored');
  }
  if (lease.run.kind === 'check') {
    return await withChallenge(deps, version, (challenge) => check(deps, lease, challenge, teller, signal));
  }
  const challenge = await deps.knownChallenges.get(version, () =>
    withChallenge(deps, version, (loaded) => Promise.resolve(loaded)),
  );
  return await grade(deps, lease, { challenge, version }, teller, signal);
}

/** The challenge, with the files of its bundle in its folder as long as `use` takes. */
async function withChallenge<T>(
  deps: WorkerDeps,
  version: ChallengeVersion,
  use: (challenge: Challenge) => Promise<T>,
): Promise<T> {
  const entries = readTar(await deps.blobs.read(version.bundleBlob));
  return await withUnpackedBundle(deps.workDir, entries, async (folder) => use(await loadChallenge(folder)));
}

async function check(
  deps: WorkerDeps,
  { run }: Lease,
  challenge: Challenge,
  teller: EventTeller,
  signal: AbortSignal,
): Promise<RunResult> {
  const report = await checkChallenge(
    challenge,
    { ...deps.grading, inspect: deps.inspect, ...(deps.inTurn ? { inTurn: deps.inTurn } : {}) },
    { mutants: true, seed: run.seed },
    (event) => {
      if (event.kind === 'begin' || event.kind === 'end') {
        teller.onProgress({ kind: 'phase', phase: event.part, state: event.kind });
      } else if (event.kind === 'step') {
        const { part, done, total, label } = event;
        teller.tell({ type: 'progress', stage: part, done, total, label });
      }
    },
    signal,
  );
  const unsure = report.trouble.length > 0 && report.refusals.length === 0;
  const failed = unsure ? 'inconclusive' : 'failed';
  return {
    state: 'completed',
    verdict: report.ok ? 'passed' : failed,
    score: null,
    reason: null,
    failure: null,
    report,
    artifacts: [],
  };
}

async function grade(
  deps: WorkerDeps,
  { run, epoch }: Lease,
  { challenge, version }: { challenge: Challenge; version: ChallengeVersion },
  teller: EventTeller,
  signal: AbortSignal,
): Promise<RunResult> {
  const stored = await deps.store.submissions.get(run.submissionId ?? '');
  if (!stored || stored.tarBlob === null) {
    const reason = 'the submission was deleted';
    return { ...NOTHING, state: 'canceled', reason };
  }
  const submission = await readSubmission(deps, stored, stored.tarBlob);
  const request = {
    runId: run.id,
    epoch,
    seed: run.seed,
    challenge: { ...challenge, digest: version.digest },
    submission,
    scope: stored.candidateId,
    selection: { visibleOnly: stored.dryRun },
  };
  const gradeDeps = { ...deps.grading, onProgress: teller.onProgress };
  try {
    const startPlan = decideStartPlan(submission, challenge.file.build.runtimes);
    return await toResult(deps, await gradeRun({ ...request, startPlan }, gradeDeps, signal));
  } catch (error) {
    if (error instanceof AssayError && error.blame === 'candidate') {
      const report = await reportRefusal(request, error, gradeDeps, signal);
      return await toResult(deps, { report, artifacts: [] });
    }
    throw error;
  }
}

const NOTHING: Omit<RunResult, 'state' | 'reason'> = {
  verdict: null,
  score: null,
  failure: null,
  report: null,
  artifacts: [],
};

/** The submission as it was taken in; a file that changed on the disk is ours, and never graded. */
async function readSubmission(
  { blobs }: WorkerDeps,
  stored: Submission,
  tarBlob: string,
): Promise<CanonicalSubmission> {
  const tar = await blobs.read(tarBlob);
  return { digest: stored.digest, tar, files: stored.files, notices: stored.notices };
}

async function toResult({ blobs }: WorkerDeps, { report, artifacts }: GradedRun): Promise<RunResult> {
  const stored = [];
  for (const { name, contentType, content } of artifacts) {
    const { key, bytes } = await blobs.put(content);
    stored.push({ name, contentType, blob: key, bytes });
  }
  const { status, verdict, score, failure } = report.outcome;
  return {
    state: status,
    verdict,
    score,
    reason: reasonOf(report),
    failure: failure ?? null,
    report,
    artifacts: stored,
  };
}

function reasonOf({ outcome }: Report): string | null {
  return outcome.status === 'completed' ? null : (outcome.failure?.message ?? outcome.summary);
}
