import { expect } from 'vitest';
import type { Report } from '../../src/domain/report.ts';
import { assembleReport } from '../../src/report/assemble.ts';
import type { RunResult } from '../../src/store/run-store.ts';
import type { Store } from '../../src/store/store.ts';
import type { Candidate } from './http-service.ts';
import { SAMPLE_RUNS } from './report-samples.ts';
import { newSubmission, PASSED } from './stored.ts';

/** Ends a queued run as a worker would. */
export async function finishRun(store: Store, runId: string, result: Partial<RunResult> = {}): Promise<void> {
  await store.runs.lease(runId, 1, 'w', 600_000);
  expect(await store.runs.finish(runId, 1, 'w', { ...PASSED, ...result })).toBe(true);
}

/** The same with a report, and the outcome that it tells. */
export async function finishWith(store: Store, runId: string, report: Report): Promise<void> {
  const { verdict, score } = report.outcome;
  await finishRun(store, runId, { verdict, score, report });
}

/** A submission of the candidate, graded as partly right. Nothing is uploaded: that is tested elsewhere. */
export async function gradedSubmission(
  store: Store,
  { invitation }: Pick<Candidate, 'invitation'>,
): Promise<{ id: string; runId: string }> {
  const accepted = await store.submissions.accept(newSubmission(invitation));
  if (!accepted.ok) {
    throw new Error(accepted.refusal.kind);
  }
  await finishWith(store, accepted.run.id, assembleReport(SAMPLE_RUNS.partialRun()));
  return { id: accepted.submission.id, runId: accepted.run.id };
}
