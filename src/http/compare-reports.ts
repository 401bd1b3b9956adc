import { z } from 'zod';
import { CheckStatusSchema } from '../domain/grader-protocol.ts';
import type { Report } from '../domain/report.ts';
import { VerdictSchema } from '../domain/verdict.ts';

const Side = z.object({
  runId: z.string(),
  verdict: VerdictSchema.nullable(),
  score: z.number().nullable(),
  challengeDigest: z.string(),
  submissionDigest: z.string(),
});

export const Comparison = z
  .object({
    before: Side,
    after: Side,
    scoreChange: z.number().nullable(),
    stages: z.array(
      z.object({ name: z.string(), before: z.number().nullable(), after: z.number().nullable() }),
    ),
    checks: z
      .array(
        z.object({
          id: z.string(),
          name: z.string(),
          before: CheckStatusSchema.nullable(),
          after: CheckStatusSchema.nullable(),
        }),
      )
      .describe('Only those that came out differently; null: not part of that run'),
  })
  .meta({ id: 'Comparison' });

/** What changed from one report to another. Checks are matched by id, stages by name. */
export function compareReports(before: Report, after: Report): z.output<typeof Comparison> {
  const [a, b] = [before.outcome.score, after.outcome.score];
  return {
    before: toSide(before),
    after: toSide(after),
    scoreChange: a === null || b === null ? null : Number((b - a).toFixed(1)),
    stages: unionOf(
      before.stages.map(({ name }) => name),
      after.stages.map(({ name }) => name),
    ).map((name) => ({
      name,
      before: before.stages.find((stage) => stage.name === name)?.score ?? null,
      after: after.stages.find((stage) => stage.name === name)?.score ?? null,
    })),
    checks: compareChecks(before, after),
  };
}

function toSide(report: Report): z.output<typeof Side> {
  return {
    runId: report.run.id,
    verdict: report.outcome.verdict,
    score: report.outcome.score,
    challengeDigest: report.challenge.digest,
    submissionDigest: report.submission.digest,
  };
}

function compareChecks(before: Report, after: Report): z.output<typeof Comparison>['checks'] {
  const old = checksOf(before);
  const now = checksOf(after);
  return unionOf([...old.keys()], [...now.keys()])
    .map((id) => ({
      id,
      name: (now.get(id) ?? old.get(id))?.name ?? id,
      before: old.get(id)?.status ?? null,
      after: now.get(id)?.status ?? null,
    }))
    .filter((check) => check.before !== check.after);
}

function checksOf(report: Report) {
  return new Map(report.stages.flatMap((stage) => stage.checks.map((check) => [check.id, check] as const)));
}

function unionOf(first: readonly string[], second: readonly string[]): string[] {
  return [...new Set([...first, ...second])];
}
