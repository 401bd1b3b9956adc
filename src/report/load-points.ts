import type { Check } from '../domain/grader-protocol.ts';
import type { BriefItem, LoadResult, LoadTask, StageReport } from '../domain/report.ts';
import { breachOf, describeBreach, describeQueueing, isQueueing, peakOf } from './load-words.ts';
import { formatFigure } from './figures.ts';
import { quote } from './exchange-words.ts';
import type { RankedItem } from './weak-points.ts';

type Threshold = LoadResult['thresholds'][number];
type ThresholdKind = 'latency' | 'unanswered' | 'errors' | 'rate' | 'other';

/** A threshold's expression, taken apart: "p95(follow) < 100ms" is `p95` of the task `follow`. */
interface ThresholdSubject {
  statistic: string;
  task: string | undefined;
}

/** Weak points of failed load thresholds: latency, latency without any success, errors and throughput are one point each. */
export function weakLoadPoints(stage: StageReport, load: LoadResult, scorePerPoint: number): RankedItem[] {
  const failed = load.thresholds.filter(({ ok, unsteady }) => !ok && unsteady !== true);
  const kinds = new Map<ThresholdKind, Threshold[]>();
  for (const threshold of failed) {
    const kind = kindOf(threshold);
    kinds.set(kind, [...(kinds.get(kind) ?? []), threshold]);
  }
  return [...kinds].map(([kind, thresholds]) => toWeakPoint(stage, load, kind, thresholds, scorePerPoint));
}

/** The check that grades a threshold, if there is one. */
export function checkOf(stage: StageReport, threshold: Threshold): Check | undefined {
  return stage.checks.find((check) => check.name === threshold.that || check.name.includes(threshold.that));
}

/** Takes a threshold's expression apart. */
function subjectOf(that: string): ThresholdSubject {
  const match = /^\s*([a-z]+\d*)\s*(?:\(\s*([^)]*?)\s*\))?/i.exec(that);
  return { statistic: match?.[1]?.toLowerCase() ?? '', task: match?.[2] || undefined };
}

/** "p95(follow) was 412 ms, the limit is 100 ms"; for a threshold from below "the least asked for". */
export function describeThreshold(threshold: Threshold): string {
  const { statistic, task } = subjectOf(threshold.that);
  const subject = task ? `${statistic}(${task})` : statistic || threshold.that;
  const bound = threshold.that.replace(/\(.*\)/, '').includes('>') ? 'the least asked for' : 'the limit';
  const verb = /^(errors|checks)$/.test(statistic) ? 'were' : 'was';
  const actual =
    threshold.actual === null
      ? 'could not be computed'
      : `${verb} ${formatFigure(threshold.actual, threshold.unit)}`;
  return `${subject} ${actual}, ${bound} is ${formatFigure(threshold.limit, threshold.unit)}`;
}

function kindOf(threshold: Threshold): ThresholdKind {
  const { statistic } = subjectOf(threshold.that);
  if (/^(p\d+|avg|min|max)$/.test(statistic)) {
    return threshold.actual === null ? 'unanswered' : 'latency';
  }
  if (/^(errors|checks)$/.test(statistic)) {
    return 'errors';
  }
  return /^rps$/.test(statistic) ? 'rate' : 'other';
}

const HEADLINES: Readonly<Record<ThresholdKind, string>> = {
  latency: 'slower under load than asked for',
  unanswered: 'no request succeeded whose speed was to be judged',
  errors: 'more failed requests under load than asked for',
  rate: 'fewer requests per second than asked for',
  other: 'a limit of the load test was passed',
};

function toWeakPoint(
  stage: StageReport,
  load: LoadResult,
  kind: ThresholdKind,
  thresholds: readonly Threshold[],
  scorePerPoint: number,
): RankedItem {
  const graded = thresholds.map((threshold) => checkOf(stage, threshold));
  const checks = graded.filter((check) => check !== undefined);
  const lostScore = checks.reduce((sum, check) => sum + check.maxPoints - check.points, 0) * scorePerPoint;
  const shown = thresholds.reduce((worst, one) => (excess(one) > excess(worst) ? one : worst));
  const shownCheck = checkOf(stage, shown);
  const others = thresholds.filter((threshold) => threshold !== shown).map(describeThreshold);
  const item: BriefItem = {
    ref: shownCheck ? `check:${shownCheck.id}` : `stage:${stage.name}`,
    checks: checks.map((check) => check.id),
    lostScore,
    skill: shownCheck?.skill ?? 'engineering',
    headline: `Load: ${HEADLINES[kind]}`,
    detail: [`Asked for was ${quote(shown.that, 100)}.`, ...others.map((text) => `Also: ${text}.`)].join(' '),
    question: questionOf(kind, shown, load),
    ...(shownCheck?.evidence && { evidence: shownCheck.evidence }),
  };
  return { item, rank: lostScore * 1.4 + 0.004 };
}

/** How far beyond its limit, as a ratio, whichever way the limit lies. */
function excess(threshold: Threshold): number {
  if (threshold.actual === null) {
    return Number.MAX_VALUE;
  }
  const ratio = threshold.actual / Math.max(threshold.limit, 1e-9);
  return ratio >= 1 ? ratio : 1 / Math.max(ratio, 1e-9);
}

function questionOf(kind: ThresholdKind, threshold: Threshold, load: LoadResult): string {
  const figure = `In the load test ${describeThreshold(threshold)}.`;
  if (kind === 'latency') {
    return `${figure}${latencyContext(threshold, load)} ${askAboutLatency(threshold, load)}`;
  }
  if (kind === 'errors' || kind === 'unanswered') {
    return `${figure}${mostFrequent(threshold, load)} ${askAboutFailures(threshold, load)}`;
  }
  const ask =
    kind === 'rate'
      ? 'What is the narrowest place in your service, and how would you show that it is?'
      : 'What would you look at first to explain this figure?';
  return `${figure} ${ask}`;
}

function mostFrequent(threshold: Threshold, load: LoadResult): string {
  const top = taskOf(threshold, load).errors[0];
  return top ? ` The most frequent failure, ${top.count} times, was ${quote(top.message, 100)}.` : '';
}

/** Answers that came and were wrong ask for something else than answers that did not come. */
function askAboutFailures(threshold: Threshold, load: LoadResult): string {
  return taskOf(threshold, load).errors[0]?.message.startsWith('expected ') === true
    ? 'Does the service answer so without load too, and what would a client make of it?'
    : 'What should the service do with requests that it cannot serve in time, and how would it notice?';
}

function latencyContext(threshold: Threshold, load: LoadResult): string {
  const { statistic } = subjectOf(threshold.that);
  const breach = threshold.unit === 'ms' ? breachOf(load, statistic, threshold.limit) : undefined;
  const cpu = peakOf(load, /cpu/i);
  return [
    breach ? ` ${describeBreach(breach, statistic)}` : '',
    describeQueueing(taskOf(threshold, load)),
    cpu !== undefined && cpu >= 0.9
      ? ` The service's CPU use peaked at ${formatFigure(cpu, 'ratio')} of one CPU.`
      : '',
  ].join('');
}

function askAboutLatency(threshold: Threshold, load: LoadResult): string {
  const task = taskOf(threshold, load);
  return isQueueing(task.latency, task.serviceTime)
    ? 'What were requests waiting for before the service took them up, and what would shorten that line?'
    : 'Where does a single request spend that time, and which measurement would you take first?';
}

/** The task a threshold speaks of, or the total. */
export function taskOf(threshold: Threshold, load: LoadResult): LoadTask {
  const { task } = subjectOf(threshold.that);
  return load.tasks.find((one) => one.name === task) ?? load.total;
}
