import type { Check, Series } from '../../src/domain/grader-protocol.ts';
import type { LoadPlan, LoadThreshold } from '../../src/domain/load-plan.ts';
import type { Knee, Reference } from '../../src/domain/load-result.ts';
import type { LoadResult, LoadTask } from '../../src/domain/report.ts';
import { distributionOf } from './distribution.ts';
import { toEvidence } from './evidence.ts';
import { excuseFor } from './excuse.ts';
import type { GeneratorFacts } from './health.ts';
import type { PhaseSpan } from './engine-types.ts';
import { RowRecorder } from './recorder.ts';
import type { Interval, Recorder } from './recorder.ts';
import { toRelative } from './relative.ts';
import type { Sampler } from './sampler.ts';
import { judgeThreshold } from './thresholds.ts';
import type { JudgedThreshold } from './thresholds.ts';

/** Everything that a finished test left behind. */
export interface Measured {
  plan: LoadPlan;
  rowNames: readonly string[];
  recorder: Recorder;
  sampler: Sampler;
  phases: PhaseSpan[];
  countedSeconds: number;
  knee: Knee | undefined;
  reference: Reference | undefined;
  /** The reference was to be measured once more, and could not be. */
  unconfirmed: boolean;
  /** Share of the service's CPUs that others used; null where it cannot be known. */
  interference: number | null;
  durationMs: number;
  seed: string;
  generator: GeneratorFacts;
  /** What became of the service during the test. */
  notes: readonly string[];
  usage: Series[];
  /** "http://127.0.0.1:8080" */
  origin: string;
}

/** A last second shorter than this is too short for a rate. */
const SHORTEST_INTERVAL_S = 0.5;
/** Longer curves are thinned, so that the result stays within one protocol line. */
const MAX_POINTS = 600;
const MAX_ROW_ERRORS = 5;
const MAX_KNEE_STEPS = 100;
const MAX_MESSAGE_CHARS = 4000;

export interface Judged {
  checks: Check[];
  result: LoadResult;
  /** Why the thresholds say nothing certain about the service; undefined when they do. */
  excuse: string | undefined;
}

/** Judges every threshold: the checks of the stage, and the result document of the report. */
export function judge(measured: Measured): Judged {
  const { plan, recorder, rowNames, countedSeconds } = measured;
  const total = recorder.total();
  const { knee, reference, unconfirmed } = measured;
  const figures = { countedSeconds, knee, reference, unconfirmed };
  const skipped = plan.thresholds.flatMap((threshold) => {
    const reason = whyNotMeasured(threshold, measured);
    return reason === undefined ? [] : [{ threshold, reason }];
  });
  const measurable = plan.thresholds.filter((one) => !skipped.some(({ threshold }) => threshold === one));
  const judged = measurable.map((threshold) => {
    const row = rowOf(threshold, measured);
    const recorded = row === undefined ? total : (recorder.rows[row] ?? new RowRecorder());
    return {
      threshold,
      row,
      verdict: judgeThreshold(threshold.that, threshold.threshold, { ...figures, row: recorded }),
    };
  });
  const tasks = rowNames.map((name, row) =>
    (recorder.rows[row] ?? new RowRecorder()).toTask(name, countedSeconds),
  );
  return {
    checks: [
      ...judged.map(({ threshold, row, verdict }) => toCheck(threshold, row, verdict, measured)),
      ...skipped.map(({ threshold, reason }) => toSkipped(threshold, reason)),
    ],
    excuse: excuseFor(
      judged.map(({ verdict }) => verdict.result),
      measured.interference,
      kneeLimitMs(plan),
    ),
    result: {
      seed: measured.seed,
      durationMs: Math.round(measured.durationMs),
      phases: measured.phases,
      total: total.toTask('total', countedSeconds),
      tasks: tasks.map(capErrors),
      unsent: total.unsent,
      thresholds: judged.map(({ verdict }) => verdict.result),
      distribution: distributionOf(total),
      series: [...toSeries(recorder.intervals), ...measured.usage].map(thin),
      generator: measured.generator,
      interference: measured.interference,
      ...(knee && { knee: thinSteps(knee) }),
      ...(reference && { reference, relative: toRelative(reference, knee, total, tasks) }),
    },
  };
}

function rowOf({ threshold }: LoadThreshold, { rowNames }: Measured): number | undefined {
  return threshold.task === undefined ? undefined : rowNames.indexOf(threshold.task);
}

function toCheck(
  threshold: LoadThreshold,
  row: number | undefined,
  verdict: JudgedThreshold,
  { sampler, notes, durationMs, origin }: Measured,
): Check {
  const failed = !verdict.result.ok;
  // What nobody can judge is ours; the other limits stand.
  const missed = verdict.unsteady === undefined ? 'failed' : 'errored';
  const slowest = sampler.slowest(row);
  const samples = sampler.failures(row).slice(0, 2);
  const isLatency = threshold.threshold.unit === 'ms';
  const evidence = failed && toEvidence(isLatency && slowest ? [slowest, ...samples] : samples, origin);
  return {
    id: threshold.id,
    name: threshold.that,
    suite: 'Load test',
    status: failed ? missed : 'passed',
    points: failed ? 0 : threshold.points,
    maxPoints: threshold.points,
    skill: threshold.skill,
    visibility: threshold.visibility,
    message: failed
      ? [verdict.message, ...(verdict.unsteady === undefined ? notes : [verdict.unsteady])]
          .join('. ')
          .slice(0, MAX_MESSAGE_CHARS)
      : '',
    ...(evidence ? { evidence } : {}),
    durationMs: Math.round(durationMs),
  };
}

/** The shortest latency that the search for the knee asks for. */
function kneeLimitMs({ shape }: LoadPlan): number {
  const clauses = shape.flatMap((phase) => (phase.kind === 'knee' ? phase.objective.clauses : []));
  return Math.min(...clauses.filter(({ unit }) => unit === 'ms').map(({ limit }) => limit));
}

/** The profile of a short trial may not look for the knee, and leave out tasks. */
function whyNotMeasured({ threshold }: LoadThreshold, { knee, rowNames }: Measured): string | undefined {
  if (threshold.metric === 'knee' && knee === undefined) {
    return 'this shape does not look for the knee';
  }
  return threshold.task === undefined || rowNames.includes(threshold.task)
    ? undefined
    : `the task "${threshold.task}" is left out by tags`;
}

function toSkipped({ id, that, points, skill, visibility }: LoadThreshold, message: string): Check {
  const check = {
    id,
    name: that,
    suite: 'Load test',
    status: 'skipped',
    points: 0,
    maxPoints: points,
  } as const;
  return { ...check, skill, visibility, message, durationMs: 0 };
}

/** The last steps are those that the knee rests on. */
function thinSteps(knee: Knee): Knee {
  return { ...knee, steps: knee.steps.slice(-MAX_KNEE_STEPS) };
}

function capErrors(task: LoadTask): LoadTask {
  return { ...task, errors: task.errors.slice(0, MAX_ROW_ERRORS) };
}

/** The curves of a test, one point a second. */
export function toSeries(intervals: readonly Interval[]): Series[] {
  const whole = intervals.filter((interval) => interval.lengthS >= SHORTEST_INTERVAL_S);
  const answered = whole.filter((interval) => interval.requests > interval.failures);
  return [
    curve('users', 'users', whole, (interval) => interval.users),
    curve('rps', '/s', whole, (interval) => interval.requests / interval.lengthS),
    curve('failures', '/s', whole, (interval) => interval.failures / interval.lengthS),
    curve('p50', 'ms', answered, (interval) => interval.p50Ms),
    curve('p95', 'ms', answered, (interval) => interval.p95Ms),
    curve('p99', 'ms', answered, (interval) => interval.p99Ms),
  ];
}

function curve(
  name: string,
  unit: string,
  intervals: readonly Interval[],
  valueOf: (interval: Interval) => number,
): Series {
  return {
    name,
    unit,
    points: intervals.map((interval) => [
      Math.round(interval.atS * 100) / 100,
      Math.round(valueOf(interval) * 1000) / 1000,
    ]),
  };
}

/** A long curve with fewer points. */
export function thin(series: Series): Series {
  const every = Math.ceil(series.points.length / MAX_POINTS);
  return every <= 1
    ? series
    : { ...series, points: series.points.filter((_point, index) => index % every === 0) };
}
