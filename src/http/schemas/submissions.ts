import { z } from 'zod';
import type { Feedback } from '../../domain/challenge.ts';
import { RunStateSchema } from '../../domain/run.ts';
import { VerdictSchema } from '../../domain/verdict.ts';
import type { Run } from '../../store/run-store.ts';
import type { Submission, SubmissionSummary } from '../../store/submission-store.ts';
import { RunBody, toOwnRunBody, toRunBody } from './runs.ts';
import { iso, isoOrNull } from './time.ts';

const CandidateBody = z
  .object({ id: z.string(), name: z.string().nullable() })
  .nullable()
  .describe('null: hidden from you, the challenge is blind');

export const SubmissionBody = z
  .object({
    id: z.string(),
    challenge: z.object({ slug: z.string(), version: z.number().int() }),
    candidate: CandidateBody,
    invitationId: z.string(),
    dryRun: z.boolean(),
    attempt: z.number().int(),
    late: z.boolean(),
    refunded: z.boolean().describe('The attempt was given back: its run ended by a fault of ours'),
    createdAt: z.string(),
    receipt: z
      .object({
        digest: z.string().describe('Of what will be graded: the canonical tar of the files below'),
        uploadBytes: z.number().int(),
        files: z.array(z.object({ path: z.string(), bytes: z.number().int(), executable: z.boolean() })),
        notices: z.array(z.string()).describe('What was left out, and likely secrets'),
      })
      .describe('What was received'),
    queuePosition: z.number().int().nullable().describe('1 = next; null when it does not wait'),
    run: RunBody,
    links: z.object({ self: z.string(), events: z.string(), report: z.string() }),
  })
  .meta({ id: 'Submission' });

export const SummaryBody = z
  .object({
    id: z.string(),
    challenge: z.object({ slug: z.string(), version: z.number().int() }),
    candidate: CandidateBody,
    dryRun: z.boolean(),
    attempt: z.number().int(),
    late: z.boolean(),
    createdAt: z.string(),
    run: z.object({
      id: z.string(),
      state: RunStateSchema,
      verdict: VerdictSchema.nullable().describe('Of the newest run that completed, as is the score'),
      score: z.number().nullable(),
      finishedAt: z.string().nullable(),
    }),
  })
  .meta({ id: 'SubmissionSummary' });

export interface SubmissionView {
  submission: Submission;
  run: Run;
  queuePosition: number | null;
  /** Whether this caller may know who handed it in. */
  showCandidate: boolean;
  /** What the challenge shows its candidate; staff see all. */
  feedback: Feedback | undefined | 'all';
}

/** A submission as callers see it. */
export function toSubmissionBody(view: SubmissionView): z.output<typeof SubmissionBody> {
  const { submission, run } = view;
  const self = `/v1/submissions/${submission.id}`;
  return {
    id: submission.id,
    challenge: { slug: submission.slug, version: submission.version },
    candidate: view.showCandidate ? { id: submission.candidateId, name: submission.candidateName } : null,
    invitationId: submission.invitationId,
    dryRun: submission.dryRun,
    attempt: submission.attempt,
    late: submission.late,
    refunded: submission.refunded,
    createdAt: iso(submission.createdAt),
    receipt: {
      digest: submission.digest,
      uploadBytes: submission.uploadBytes,
      files: submission.files,
      notices: submission.notices,
    },
    queuePosition: view.queuePosition,
    run: view.feedback === 'all' ? toRunBody(run) : toOwnRunBody(run, view.feedback),
    links: { self, events: `${self}/events`, report: `${self}/report` },
  };
}

/** One line of a list. */
export function toSummaryBody(
  summary: SubmissionSummary,
  showCandidate: boolean,
): z.output<typeof SummaryBody> {
  return {
    id: summary.id,
    challenge: { slug: summary.slug, version: summary.version },
    candidate: showCandidate ? { id: summary.candidateId, name: summary.candidateName } : null,
    dryRun: summary.dryRun,
    attempt: summary.attempt,
    late: summary.late,
    createdAt: iso(summary.createdAt),
    run: { ...summary.run, finishedAt: isoOrNull(summary.run.finishedAt) },
  };
}
