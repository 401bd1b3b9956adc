import { z } from 'zod';
import type { Feedback } from '../../domain/challenge.ts';
import { RunKindSchema, RunStateSchema } from '../../domain/run.ts';
import { VerdictSchema } from '../../domain/verdict.ts';
import { isHidden } from '../../report/redact.ts';
import type { Run } from '../../store/run-store.ts';
import { iso, isoOrNull } from './time.ts';

export const RunBody = z
  .object({
    id: z.string(),
    submissionId: z.string().nullable(),
    kind: RunKindSchema,
    state: RunStateSchema,
    verdict: VerdictSchema.nullable(),
    score: z.number().nullable(),
    phase: z.string().nullable().describe('What goes on now: build, api, load …'),
    reason: z.string().nullable().describe('Why an errored or canceled run ended'),
    failures: z.number().int().describe('How often it had to be started again through faults of ours'),
    previousRunId: z.string().nullable(),
    createdAt: z.string(),
    startedAt: z.string().nullable(),
    finishedAt: z.string().nullable(),
    phases: z.array(z.object({ phase: z.string(), beganAt: z.string(), endedAt: z.string().nullable() })),
  })
  .meta({ id: 'Run' });

/** What candidates are told of a run that gave no verdict: the true reason is for those who can mend it. */
const REASONS: Readonly<Partial<Record<Run['state'], string>>> = {
  errored: 'The run could not be completed, through no fault of yours.',
  canceled: 'The run was canceled before it was complete.',
};

/** A run as its candidate sees it: the score only where the challenge hides none of its stages, as in the report. */
export function toOwnRunBody(run: Run, feedback: Feedback | undefined): z.output<typeof RunBody> {
  // Where it is not known which stages it had, it may have had any.
  const stages = run.stages ?? ['api', 'load'];
  const open = feedback !== undefined && !stages.some((stage) => isHidden(stage, feedback));
  return {
    ...toRunBody(run),
    score: open ? run.score : null,
    reason: run.reason === null ? null : (REASONS[run.state] ?? null),
  };
}

/** A run as staff see it. */
export function toRunBody(run: Run): z.output<typeof RunBody> {
  return {
    id: run.id,
    submissionId: run.submissionId,
    kind: run.kind,
    state: run.state,
    verdict: run.verdict,
    score: run.score,
    phase: run.phase,
    reason: run.reason,
    failures: run.failures,
    previousRunId: run.previousRunId,
    createdAt: iso(run.createdAt),
    startedAt: isoOrNull(run.startedAt),
    finishedAt: isoOrNull(run.finishedAt),
    phases: run.phases.map(({ phase, beganAt, endedAt }) => ({
      phase,
      beganAt: iso(new Date(beganAt)),
      endedAt: endedAt === null ? null : iso(new Date(endedAt)),
    })),
  };
}
