import type { Check, Evidence, Series } from '../../src/domain/grader-protocol.ts';
import type { LoadThreshold } from '../../src/domain/load-plan.ts';
import type { LocustPlan } from '../../src/domain/locust-plan.ts';
import type { LoadResult } from '../../src/domain/report.ts';
import { distributionOf } from '../load/distribution.ts';
import { RowRecorder } from '../load/recorder.ts';
import { thin, toSeries } from '../load/result.ts';
import { judgeThreshold } from '../load/thresholds.ts';
import type { LocustEnd, LocustSample } from './locust-events.ts';
import type { Tally } from './tally.ts';

/** Everything that a finished test left behind. */
export interface LocustMeasured {
  plan: LocustPlan;
  seed: string;
  tally: Tally;
  ends: readonly LocustEnd[];
  samples: readonly LocustSample[];
  /** Files of Locust that are too large to hand over. */
  tooLarge: readonly string[];
  /** What became of the service during the test. */
  notes: readonly string[];
  usage: readonly Series[];
}

/** Past these Locust's figures say more about Locust than about the service. It warns at the first of them itself. */
const MAX_CPU_RATIO = 0.9;
const MAX_LATENESS_P99_MS = 50;
const MAX_ROW_ERRORS = 5;
const MAX_MESSAGE_CHARS = 4000;
const MAX_SAMPLES_PER_CHECK = 2;

const CLOSED_MODEL =
  'Made by Locust, whose users each wait for an answer before they go on: a slow service gets fewer requests, and ' +
  'what users would have waited meanwhile is not in the latency (coordinated omission). It is the time from sending ' +
  'to answer; FastHttpUser rounds it down to whole milliseconds.';

/** Judges every threshold of a plan, with the meaning that it has for our own generator. */
export function judgeLocust(measured: LocustMeasured): {
  checks: Check[];
  result: LoadResult;
  inconclusive: string | undefined;
} {
  const { plan, tally, ends } = measured;
  const durationMs = Math.max(...ends.map((end) => end.durationMs));
  const countedSeconds = Math.max(0, durationMs - plan.warmUpMs) / 1000;
  const judged = plan.thresholds.map((threshold) => {
    const { task } = threshold.threshold;
    const row = task === undefined ? tally.total() : tally.find(task);
    const figures = { row: row ?? new RowRecorder(), countedSeconds };
    const verdict = judgeThreshold(threshold.that, threshold.threshold, figures);
    return { threshold, verdict, known: row !== undefined };
  });
  const generator = generatorFacts(ends);
  const total = tally.total();
  return {
    checks: judged.map(({ threshold, verdict, known }) =>
      toCheck(threshold, verdict, known ? '' : unknownTask(tally), measured, durationMs),
    ),
    result: {
      engine: 'locust',
      remarks: remarksOf(measured),
      seed: measured.seed,
      durationMs: Math.round(durationMs),
      phases: phasesOf(plan, durationMs),
      total: total.toTask('total', countedSeconds),
      tasks: tally.rows().map(({ name, recorder }) => {
        const task = recorder.toTask(name, countedSeconds);
        return { ...task, errors: task.errors.slice(0, MAX_ROW_ERRORS) };
      }),
      unsent: 0,
      thresholds: judged.map(({ verdict }) => verdict.result),
      distribution: distributionOf(total),
      series: [...toSeries(tally.intervals(durationMs / 1000)), ...measured.usage].map(thin),
      generator,
    },
    inconclusive: judgeHealth(generator),
  };
}

function generatorFacts(ends: readonly LocustEnd[]): LoadResult['generator'] {
  const lateness = Math.max(...ends.map((end) => end.latenessP99Ms));
  return {
    schedulingLagP99Ms: rounded(lateness),
    cpuRatio: rounded(Math.max(...ends.map((end) => end.cpuRatio))),
    eventLoopDelayP99Ms: rounded(lateness),
  };
}

function judgeHealth({ cpuRatio, schedulingLagP99Ms }: LoadResult['generator']): string | undefined {
  if (cpuRatio > MAX_CPU_RATIO) {
    return `Locust had no CPU time left: it used ${Math.round(cpuRatio * 100)} % of a CPU (limit ${MAX_CPU_RATIO * 100} %), so its times hold waits of its own.`;
  }
  return schedulingLagP99Ms > MAX_LATENESS_P99_MS
    ? `Locust ran late: 1 in 100 of its users went on more than ${Math.round(schedulingLagP99Ms)} ms after their time (limit ${MAX_LATENESS_P99_MS} ms).`
    : undefined;
}

function remarksOf({ ends, tooLarge }: LocustMeasured): string[] {
  const exceptions = ends.flatMap((end) => end.exceptions);
  const count = exceptions.reduce((sum, one) => sum + one.count, 0);
  return [
    CLOSED_MODEL,
    ...(ends.length > 1
      ? [
          `${ends.length} processes of Locust shared the users; each has files of its own among the artifacts.`,
        ]
      : []),
    ...(count > 0
      ? [
          `Tasks of the locustfile ended in a Python exception ${count} times, most often ${exceptions[0]?.message ?? ''}; what they had not sent by then is in no figure.`,
        ]
      : []),
    ...(tooLarge.length > 0 ? [`Too large to keep: ${tooLarge.join(', ')}.`] : []),
  ];
}

function phasesOf(plan: LocustPlan, durationMs: number): LoadResult['phases'] {
  const endS = rounded(durationMs / 1000);
  const users = plan.users === undefined ? 'the shape of the locustfile' : `${plan.users} users`;
  const warmUpS = plan.warmUpMs / 1000;
  return [
    ...(warmUpS > 0 ? [{ label: `warm-up ${warmUpS}s`, fromS: 0, toS: warmUpS }] : []),
    { label: `closed, ${users}`, fromS: warmUpS, toS: Math.max(warmUpS, endS) },
  ];
}

function unknownTask(tally: Tally): string {
  const names = tally.rows().map(({ name }) => name);
  return ` (requests of the locustfile were: ${names.join(', ').slice(0, 500)})`;
}

function toCheck(
  { id, that, points, skill, visibility, threshold }: LoadThreshold,
  { result, message }: ReturnType<typeof judgeThreshold>,
  addition: string,
  { notes, samples }: LocustMeasured,
  durationMs: number,
): Check {
  const fitting = samples.filter(({ name }) => threshold.task === undefined || name === threshold.task);
  const evidence = !result.ok && fitting.length > 0 && toEvidence(fitting.slice(0, MAX_SAMPLES_PER_CHECK));
  return {
    id,
    name: that,
    suite: 'Load test',
    status: result.ok ? 'passed' : 'failed',
    points: result.ok ? points : 0,
    maxPoints: points,
    skill,
    visibility,
    message: result.ok ? '' : [message + addition, ...notes].join('. ').slice(0, MAX_MESSAGE_CHARS),
    ...(evidence ? { evidence } : {}),
    durationMs: Math.round(durationMs),
  };
}

function toEvidence(samples: readonly LocustSample[]): Evidence {
  return {
    exchanges: samples.map(
      ({ name, ms, error, method, url, requestHeaders, requestBody, status, headers, body }) => ({
        label: `${name}: failed after ${Math.round(ms)} ms`,
        request: {
          method,
          url,
          headers: requestHeaders,
          ...(requestBody === '' ? {} : { body: requestBody }),
        },
        ...(status === undefined ? {} : { response: { status, headers: headers ?? [], body: body ?? '' } }),
        error,
        durationMs: ms,
      }),
    ),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
