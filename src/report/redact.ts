import type { Feedback } from '../domain/challenge.ts';
import type { Check } from '../domain/grader-protocol.ts';
import type { BriefItem, Failure, LoadResult, Report, StageReport } from '../domain/report.ts';
import type { Visibility } from '../domain/verdict.ts';
import { countChecks } from './outcome.ts';

/** Who will read a report. Reviewers and admins see all of it. */
export type Audience =
  | { role: 'reviewer' }
  | {
      role: 'candidate';
      feedback: Feedback;
      /** The window has closed. */
      due: boolean;
      /** Feedback was released for this invitation. */
      released: boolean;
    };

type Candidate = Extract<Audience, { role: 'candidate' }>;
type Level = 'none' | 'counts' | 'names' | 'full';

const WITHHELD = 'withheld';
/** Failures that come before the first hidden request; their logs are the candidate's own start. */
const BEFORE_TESTS =
  /^(?:BUILD_\w+|NO_START_COMMAND|START_FAILED|NOT_READY|DEPENDENCY_SOURCE|MANIFEST_INVALID|RUNTIME_AMBIGUOUS)$/;

/**
 * The report as `audience` may see it: for a candidate every field is copied by name, so that one which is new or
 * forgotten stays hidden. Hidden checks leave no name, input or expected value.
 */
export function redact(report: Report, audience: Audience): Report {
  if (audience.role === 'reviewer') {
    return report;
  }
  const nothingHidden = !report.stages.some((stage) => isHidden(stage.name, audience.feedback));
  const { run, challenge, submission, environment } = report;
  return {
    reportVersion: report.reportVersion,
    run: {
      id: run.id,
      startedAt: run.startedAt,
      finishedAt: run.finishedAt,
      durationMs: run.durationMs,
      seed: WITHHELD,
      visibleOnly: run.visibleOnly,
      timeline: run.timeline.map(({ phase, startMs, durationMs }) => ({ phase, startMs, durationMs })),
    },
    challenge: { slug: challenge.slug, title: challenge.title, digest: challenge.digest },
    submission: {
      digest: submission.digest,
      files: submission.files,
      bytes: submission.bytes,
      runtime: submission.runtime,
      decidedBy: submission.decidedBy,
      start: submission.start,
      notices: submission.notices,
    },
    environment: {
      assay: environment.assay,
      engine: environment.engine,
      runtime: environment.runtime,
      storageDriver: environment.storageDriver,
      cgroupVersion: environment.cgroupVersion,
      kernel: environment.kernel,
      cpus: environment.cpus,
      memoryBytes: environment.memoryBytes,
      images: {},
      limits: environment.limits,
    },
    outcome: redactOutcome(report, audience, nothingHidden),
    build: report.build && redactBuild(report.build, audience),
    service: report.service && redactService(report.service, audience),
    stages: report.stages.map((stage) => redactStage(stage, audience)),
    skills: nothingHidden ? redactSkills(report) : [],
    brief: {
      strongest: redactBrief(report, report.brief.strongest, audience),
      weakest: redactBrief(report, report.brief.weakest, audience),
    },
  };
}

/** Whether candidates learn nothing of this stage. One that is hidden hides the score too, which would tell of it. */
export function isHidden(stage: string, feedback: Feedback): boolean {
  return levelOf({ name: stage }, { feedback }) === 'none';
}

function levelOf(stage: Pick<StageReport, 'name'>, { feedback }: Pick<Candidate, 'feedback'>): Level {
  if (stage.name !== 'load') {
    return feedback.api;
  }
  return feedback.load === 'summary' ? 'counts' : feedback.load;
}

function isOpen(visibility: Visibility, audience: Candidate): boolean {
  return (
    visibility === 'visible' ||
    (visibility === 'after_due_date' && audience.due) ||
    (visibility === 'after_published' && audience.released)
  );
}

function redactOutcome(report: Report, audience: Candidate, showScore: boolean): Report['outcome'] {
  const { outcome } = report;
  return {
    status: outcome.status,
    verdict: outcome.verdict,
    score: showScore ? outcome.score : null,
    maxScore: outcome.maxScore,
    passScore: outcome.passScore,
    scoreRange: showScore ? outcome.scoreRange : null,
    summary: summarize(report, showScore),
    ...(outcome.failure ? { failure: redactFailure(outcome.failure, audience) } : {}),
    remarks: report.run.visibleOnly
      ? ['Only the suites that you may see ran; the hidden ones did not.']
      : ['Hidden checks are shown as far as this challenge allows.'],
  };
}

function summarize({ outcome, stages }: Report, showScore: boolean): string {
  if (outcome.status === 'canceled') {
    return 'The run was canceled before it was complete, so there is no verdict.';
  }
  if (outcome.status === 'errored') {
    return 'The run could not be completed, through no fault of yours.';
  }
  if (outcome.failure) {
    return isOurs(outcome.failure) ? 'The run could not be completed.' : outcome.failure.message;
  }
  if (!showScore) {
    return 'The run is complete.';
  }
  const { passed, measured } = countChecks(stages);
  const score = outcome.score === null ? '' : ` The score is ${outcome.score} of ${outcome.maxScore}.`;
  return `${passed} of ${measured} checks passed.${score}`;
}

function isOurs(failure: Failure): boolean {
  return failure.blame === 'infra' || failure.blame === 'spec';
}

/** What is ours stays ours: its message may tell of machines or of the challenge. */
function redactFailure(failure: Failure, { feedback }: Candidate): Failure {
  const { code, blame } = failure;
  if (isOurs(failure) || !BEFORE_TESTS.test(code)) {
    const message = isOurs(failure)
      ? 'Something went wrong on our side; it does not count against you.'
      : 'It ended while hidden checks ran.';
    return { code, blame, message };
  }
  return {
    code,
    blame,
    message: failure.message,
    ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    ...(failure.exit === undefined ? {} : { exit: failure.exit }),
    ...(failure.log === undefined || feedback.logs === 'none' ? {} : { log: failure.log }),
  };
}

function redactBuild(build: NonNullable<Report['build']>, { feedback }: Candidate): Report['build'] {
  const shown = feedback.logs !== 'none';
  return {
    cached: build.cached,
    durationMs: build.durationMs,
    log: shown ? build.log : '',
    truncated: shown && build.truncated,
  };
}

function redactService(service: NonNullable<Report['service']>, { feedback }: Candidate): Report['service'] {
  const shown = feedback.logs === 'all';
  return {
    readyMs: service.readyMs,
    log: shown ? service.log : '',
    logTruncated: shown && service.logTruncated,
    logThrottled: service.logThrottled,
    logBytes: service.logBytes,
  };
}

function redactStage(stage: StageReport, audience: Candidate): StageReport {
  const level = levelOf(stage, audience);
  const counts = level !== 'none';
  return {
    name: stage.name,
    weight: stage.weight,
    status: stage.status,
    score: counts ? stage.score : null,
    points: counts ? stage.points : 0,
    maxPoints: counts ? stage.maxPoints : 0,
    unmeasuredPoints: counts ? stage.unmeasuredPoints : 0,
    durationMs: stage.durationMs,
    checks: stage.checks.flatMap((check) => redactCheck(check, level, audience)),
    metrics: level === 'full' ? stage.metrics : countMetrics(stage, level),
    ...(stage.load && counts ? { load: level === 'full' ? stage.load : redactLoad(stage.load) } : {}),
    ...(stage.failure ? { failure: redactFailure(stage.failure, audience) } : {}),
    ...(stage.inconclusive === undefined
      ? {}
      : { inconclusive: level === 'full' ? stage.inconclusive : 'it could not be measured well enough' }),
    seed: WITHHELD,
    crashes: stage.crashes,
  };
}

function redactCheck(check: Check, level: Level, audience: Candidate): Check[] {
  if (level === 'full' || isOpen(check.visibility, audience)) {
    return [check];
  }
  if (level !== 'names') {
    return [];
  }
  const { id, name, status, points, maxPoints, skill, visibility, durationMs } = check;
  return [{ id, name, status, points, maxPoints, skill, visibility, message: '', durationMs }];
}

function countMetrics({ checks }: StageReport, level: Level): StageReport['metrics'] {
  if (level === 'none') {
    return [];
  }
  return (['passed', 'failed', 'errored', 'skipped'] as const).map((status) => ({
    name: `checks ${status}`,
    value: checks.filter((check) => check.status === status).length,
    unit: 'count',
  }));
}

/** The totals. Tasks, thresholds, phases and error texts tell what the hidden plan does. */
function redactLoad(load: LoadResult): LoadResult {
  const { total } = load;
  return {
    seed: WITHHELD,
    durationMs: load.durationMs,
    phases: [],
    total: {
      name: 'all requests',
      requests: total.requests,
      failures: total.failures,
      requestsPerSecond: total.requestsPerSecond,
      latency: total.latency,
      serviceTime: total.serviceTime,
      failureLatency: total.failureLatency,
      errors: [],
    },
    tasks: [],
    unsent: load.unsent,
    thresholds: [],
    series: [],
    generator: {
      schedulingLagP99Ms: load.generator.schedulingLagP99Ms,
      cpuRatio: load.generator.cpuRatio,
      eventLoopDelayP99Ms: load.generator.eventLoopDelayP99Ms,
    },
  };
}

function redactSkills({ stages, skills }: Report): Report['skills'] {
  return skills.map(({ skill, title, score, points, maxPoints }) => {
    const own = stages.map((stage) => ({
      ...stage,
      checks: stage.checks.filter((check) => check.skill === skill),
    }));
    const { passed, measured } = countChecks(own);
    const summary = measured === 0 ? 'Not measured.' : `${passed} of ${measured} checks passed.`;
    return { skill, title, score, points, maxPoints, summary };
  });
}

/** Only points that stand for checks which are open in full; the question is the reviewer's. */
function redactBrief(report: Report, items: readonly BriefItem[], audience: Candidate): BriefItem[] {
  const open = new Set(
    report.stages.flatMap((stage) =>
      stage.checks
        .filter((check) => levelOf(stage, audience) === 'full' || isOpen(check.visibility, audience))
        .map(({ id }) => id),
    ),
  );
  return items
    .filter(({ checks }) => checks.length > 0 && checks.every((id) => open.has(id)))
    .map(({ ref, checks, lostScore, skill, headline, detail, evidence }) => ({
      ref,
      checks,
      lostScore,
      skill,
      headline,
      detail,
      ...(evidence === undefined ? {} : { evidence }),
    }));
}
