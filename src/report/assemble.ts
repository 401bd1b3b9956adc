import type { Check } from '../domain/grader-protocol.ts';
import type { Report, StageReport } from '../domain/report.ts';
import { completeChecks, isCandidates } from './complete-checks.ts';
import { buildBrief } from './discussion-brief.ts';
import { collectRemarks, summarizeOutcome } from './outcome.ts';
import type { PlannedStage, RunFacts, StageFacts } from './run-facts.ts';
import { MAX_SCORE, type StageScore, scoreStage, scoreUnmeasured, shownScore } from './score.ts';
import { reportSkills } from './skills.ts';
import { capText, storable } from './text-safety.ts';
import { decideVerdict, type Judgement } from './verdict.ts';

/** Logs are kept to this many characters each, evidence of all checks together to this many. */
const LOG_CHARS = 128 * 1024;
const EVIDENCE_CHARS = 4 * 1024 * 1024;

type StageStatus = StageReport['status'];

interface AssembledStage {
  report: StageReport;
  score: StageScore;
}

/**
 * Makes the report of one run. A pure function: no clock, no random choice, so equal facts give an equal report
 * to the byte. Text is made storable (no NUL, no broken surrogates) and logs are capped; escaping is the renderers'.
 */
export function assembleReport(facts: RunFacts): Report {
  const stages = facts.challenge.stages.map((planned) => assembleStage(planned, facts));
  const status = statusOf(facts);
  const judged = stages.map(({ report, score }) => ({
    ...score,
    weight: report.weight,
    unmeasured: report.status === 'errored' || report.status === 'inconclusive',
  }));
  const judgement =
    status === 'completed' ? decideVerdict(judged, facts.challenge.passScore, facts.failure) : undefined;
  const stageReports = capEvidence(stages.map((stage) => stage.report));
  const outcome = reportOutcome(facts, status, judgement, stageReports);
  return storable<Report>({
    reportVersion: 1,
    run: facts.run,
    challenge: { slug: facts.challenge.slug, title: facts.challenge.title, digest: facts.challenge.digest },
    submission: {
      digest: facts.submission.digest,
      files: facts.submission.files,
      bytes: facts.submission.bytes,
      runtime: facts.startPlan?.runtime ?? null,
      decidedBy: facts.startPlan?.decidedBy ?? null,
      start: facts.startPlan?.start ?? null,
      notices: [...facts.submission.notices],
    },
    environment: facts.environment,
    outcome,
    build: capBuildLog(facts.build),
    service: capServiceLog(facts.service),
    stages: stageReports,
    skills: reportSkills(stageReports, facts),
    brief: buildBrief(stageReports, status === 'completed' ? facts.failure : undefined),
  });
}

function statusOf(facts: RunFacts): Report['outcome']['status'] {
  if (facts.canceled) {
    return 'canceled';
  }
  return facts.failure && !isCandidates(facts.failure) ? 'errored' : 'completed';
}

function reportOutcome(
  facts: RunFacts,
  status: Report['outcome']['status'],
  judgement: Judgement | undefined,
  stages: readonly StageReport[],
): Report['outcome'] {
  const score = judgement?.score ?? null;
  const range = judgement?.range ?? null;
  const outcome = {
    status,
    verdict: judgement?.verdict ?? null,
    score: score === null ? null : shownScore(score),
    maxScore: MAX_SCORE,
    passScore: facts.challenge.passScore,
    scoreRange: range && { worst: shownScore(range.worst), best: shownScore(range.best) },
    ...(facts.failure && { failure: facts.failure }),
    remarks: collectRemarks(facts, stages),
  };
  return { ...outcome, summary: summarizeOutcome(outcome, stages) };
}

function assembleStage(planned: PlannedStage, facts: RunFacts): AssembledStage {
  const begun = facts.stages.find((stage) => stage.name === planned.name);
  // A run that ended before this stage says nothing about it.
  const notReached = begun === undefined && (facts.failure !== undefined || facts.canceled);
  const checks = notReached ? [] : completeChecks(planned.checks, begun);
  const status = stageStatus(begun, checks, notReached);
  const score = status === 'inconclusive' ? scoreUnmeasured(checks) : scoreStage(checks);
  const report: StageReport = {
    name: planned.name,
    weight: planned.weight,
    status,
    score: score.score,
    points: score.points,
    maxPoints: score.maxPoints,
    unmeasuredPoints: score.unmeasuredPoints,
    checks,
    ...(begun ? measuredPart(begun) : { durationMs: 0, metrics: [], seed: facts.run.seed, crashes: 0 }),
  };
  return { report, score };
}

function measuredPart({ durationMs, metrics, seed, crashes, load, failure, inconclusive }: StageFacts) {
  return {
    durationMs,
    metrics: [...metrics],
    seed,
    crashes,
    ...(load && { load }),
    ...(failure && { failure }),
    ...(inconclusive !== undefined && { inconclusive }),
  };
}

function stageStatus(
  stage: StageFacts | undefined,
  checks: readonly Check[],
  notReached: boolean,
): StageStatus {
  if (notReached) {
    return 'skipped';
  }
  if (stage === undefined) {
    return 'errored';
  }
  if (stage.failure) {
    return isCandidates(stage.failure) ? 'failed' : 'errored';
  }
  if (stage.inconclusive !== undefined) {
    return 'inconclusive';
  }
  return checks.length > 0 && checks.every((check) => check.status === 'skipped') ? 'skipped' : 'completed';
}

function capBuildLog(build: Report['build']): Report['build'] {
  const log = capText(build?.log ?? '', LOG_CHARS);
  return build && { ...build, log: log.text, truncated: build.truncated || log.cut };
}

function capServiceLog(service: Report['service']): Report['service'] {
  const log = capText(service?.log ?? '', LOG_CHARS);
  return service && { ...service, log: log.text, logTruncated: service.logTruncated || log.cut };
}

/** Keeps the evidence of failed checks first; what is past the cap goes, its check and message stay. */
function capEvidence(stages: readonly StageReport[]): StageReport[] {
  const kept = new Set<Check>();
  let left = EVIDENCE_CHARS;
  const all = stages.flatMap((stage) => stage.checks).filter((check) => check.evidence);
  for (const failing of [true, false]) {
    for (const check of all.filter((one) => (one.status !== 'passed') === failing)) {
      left -= JSON.stringify(check.evidence).length;
      if (left >= 0) {
        kept.add(check);
      }
    }
  }
  return stages.map((stage) => ({
    ...stage,
    checks: stage.checks.map((check) => dropEvidence(check, kept)),
  }));
}

function dropEvidence(check: Check, kept: ReadonlySet<Check>): Check {
  if (check.evidence === undefined || kept.has(check)) {
    return check;
  }
  const { evidence: _, ...rest } = check;
  return rest;
}
