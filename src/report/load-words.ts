import type { Series } from '../domain/grader-protocol.ts';
import type { Latency, Reference, ReferenceFigures } from '../domain/load-result.ts';
import type { LoadResult, LoadTask } from '../domain/report.ts';
import { formatFigure, shortNumber } from './figures.ts';

/** When a curve first went past a limit, and how long it stayed there. */
export interface Breach {
  firstS: number;
  /** Label of the phase it happened in. */
  phase: string | undefined;
  /** Measured seconds past the limit, of all measured seconds. */
  over: number;
  of: number;
}

/** Finds when the per-second curve of a statistic ("p95") first passed `limit`; undefined when it never did. */
export function breachOf(load: LoadResult, statistic: string, limit: number): Breach | undefined {
  const points = findSeries(load, new RegExp(`\\b${statistic.replace(/\W/g, '')}\\b`, 'i'))?.points ?? [];
  const over = points.filter(([, value]) => value > limit);
  const first = over[0];
  if (!first) {
    return undefined;
  }
  const phase = load.phases.find(({ fromS, toS }) => first[0] >= fromS && first[0] < toS);
  return { firstS: first[0], phase: phase?.label, over: over.length, of: points.length };
}

/** Whether a good part of what users waited lies before the request was sent: the service did not keep up. */
export function isQueueing(latency: Latency | null, serviceTime: Latency | null): boolean {
  return (
    latency !== null &&
    serviceTime !== null &&
    latency.p95 > serviceTime.p95 * 1.5 &&
    latency.p95 - serviceTime.p95 > 5
  );
}

/** One sentence about a breach. */
export function describeBreach(breach: Breach, statistic: string): string {
  const phase = breach.phase === undefined ? '' : `, in the phase "${breach.phase}"`;
  return `Second by second, ${statistic} first passed that at ${formatFigure(Math.round(breach.firstS), 's')}${phase}, and was past it in ${breach.over} of ${breach.of} seconds.`;
}

/** A sentence that tells waiting from serving, where they differ; else "". Starts with a blank. */
export function describeQueueing(task: LoadTask): string {
  const { latency, serviceTime } = task;
  if (!latency || !serviceTime || !isQueueing(latency, serviceTime)) {
    return '';
  }
  const waited = formatFigure(latency.p95, 'ms');
  const served = formatFigure(serviceTime.p95, 'ms');
  return ` Users waited ${waited} at p95 while a request that was under way took ${served}: the rest was queueing.`;
}

/** Largest value of the first curve whose name matches. */
export function peakOf(load: LoadResult, name: RegExp): number | undefined {
  const points = findSeries(load, name)?.points ?? [];
  return points.length === 0 ? undefined : points.reduce((most, [, value]) => Math.max(most, value), 0);
}

/** The first curve whose name matches. */
export function findSeries(load: LoadResult, name: RegExp): Series | undefined {
  return load.series.find((series) => name.test(series.name));
}

/** Whether a threshold held, as a sign and a word. */
export function heldWords({ ok, unsteady }: LoadResult['thresholds'][number]): {
  sign: string;
  word: string;
  tone: 'good' | 'bad' | 'quiet';
} {
  if (ok) {
    return { sign: '✓', word: 'yes', tone: 'good' };
  }
  return unsteady === true
    ? { sign: '?', word: 'cannot be told', tone: 'quiet' }
    : { sign: '✗', word: 'no', tone: 'bad' };
}

/** What was measured for a threshold, in words. */
export function measuredWords({ actual, unit, unsteady }: LoadResult['thresholds'][number]): string {
  if (actual !== null) {
    return formatFigure(actual, unit);
  }
  return unsteady === true ? 'no reference' : 'nothing to measure';
}

/** The knee in words: "412/s (95 % sure: 380 to 440)". */
export function kneeWords({ outcome, rate, low, high, steps }: NonNullable<LoadResult['knee']>): string {
  switch (outcome) {
    case 'above':
      return `at least ${formatFigure(rate, '/s')}`;
    case 'below':
      return `below ${formatFigure(Math.min(...steps.map((step) => step.rate)), '/s')}`;
    case 'found':
      return `${formatFigure(rate, '/s')} (${shortNumber(low)} to ${shortNumber(high)})`;
  }
}

/**
 * What the reference service reached, in words: "15,500/s before, 7,450/s after", without a rate its p95; and, where it
 * was measured in turns with the search for the knee, "11,800/s in turns with the knee".
 */
export function referenceWords({ before, after, ...reference }: Reference, knee: LoadResult['knee']): string {
  const words =
    before && after ? `${figureOf(before)} before, ${figureOf(after)} after` : figureOf(reference);
  return knee?.reference === undefined
    ? words
    : `${words}, ${formatFigure(knee.reference, '/s')} in turns with the knee`;
}

function figureOf({ latency, requestsPerSecond }: ReferenceFigures): string {
  return requestsPerSecond === undefined
    ? `p95 ${formatFigure(latency.p95, 'ms')}`
    : formatFigure(requestsPerSecond, '/s');
}
