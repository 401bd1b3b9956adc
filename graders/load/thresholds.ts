import type { z } from 'zod';
import { isFloor } from '../../src/domain/load-threshold.ts';
import type { Threshold } from '../../src/domain/load-threshold.ts';
import type {
  Knee,
  Reference,
  ReferenceFigures,
  ThresholdResultSchema,
} from '../../src/domain/load-result.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import type { RowRecorder } from './recorder.ts';

type ThresholdResult = z.infer<typeof ThresholdResultSchema>;

/** A threshold with its measured value and one sentence, empty when it holds. */
export interface JudgedThreshold {
  result: ThresholdResult;
  message: string;
  /** Why it cannot be judged although it was missed, one sentence: the machine changed, or may have. */
  unsteady?: string;
}

/** What thresholds are compared with. */
export interface Figures {
  row: RowRecorder;
  countedSeconds: number;
  /** Undefined when none was sought. */
  knee?: Pick<Knee, 'rate' | 'reference' | 'outcome'> | undefined;
  reference?: Reference | undefined;
  /** The reference was to be measured once more, and could not be. */
  unconfirmed?: boolean;
}

/**
 * Two measurements of the reference that lie farther apart than this are of a machine that changed its speed. What is
 * closer may be chance, a p95 of 300 requests above all, and their mean is then off by less than a quarter.
 */
const APART = 1.5;

/**
 * Compares what was measured with a threshold. Latency is intended start to end of successful requests, so a
 * threshold on latency fails where nothing succeeded. `errors` counts unsent requests as well, `rps` counts
 * successful requests alone.
 */
export function judgeThreshold(that: string, threshold: Threshold, figures: Figures): JudgedThreshold {
  const measured = measure(threshold, figures);
  if (threshold.unit === 'x') {
    return judgeRelative(that, threshold, measured, figures);
  }
  const ok = measured !== null && holds(threshold, measured);
  const { limit, unit } = threshold;
  return {
    result: { that, ok, actual: measured, limit, unit },
    message: ok ? '' : explain(threshold, measured),
  };
}

/** The caller sees to it that the reference was measured before the test. */
function judgeRelative(
  that: string,
  threshold: Threshold,
  measured: number | null,
  { knee, reference, unconfirmed }: Figures,
): JudgedThreshold {
  const { metric, limit } = threshold;
  const one = metric === 'knee' ? (knee?.reference ?? Number.NaN) : referenceOf(metric, reference);
  const unit = isFloor(metric) ? '/s' : 'ms';
  if (Number.isNaN(one)) {
    const message = 'the reference service could not be measured in turns with the search for the knee';
    const unsteady = 'So nobody knows what the machine was capable of.';
    const result = { that, ok: false, actual: null, limit, unit: 'x', unsteady: true } as const;
    return { result, message, unsteady };
  }
  const raw = { actual: null, limit: limit * one, unit };
  if (measured === null) {
    const result = { that, ok: false, actual: null, limit, unit: 'x', raw };
    return { result, message: explain(threshold, null) };
  }
  const actual = times(measured, one);
  const ok = holds(threshold, actual);
  const twice = metric === 'knee' ? undefined : bothOf(metric, reference);
  const reached = twice
    ? `${show(unit, twice.before, 3)} before and ${show(unit, twice.after, 3)} after`
    : show(unit, one, 3);
  const message = `${explain(threshold, actual)} (${show(unit, measured, 3)}, where the reference reached ${reached})`;
  const unsteady = ok ? undefined : whyOpen(threshold, measured, twice, knee, unconfirmed);
  return {
    result: {
      that,
      ok,
      actual,
      limit,
      unit: 'x',
      raw: { ...raw, actual: measured },
      ...(unsteady !== undefined && { unsteady: true }),
    },
    message: ok ? '' : message,
    ...(unsteady !== undefined && { unsteady }),
  };
}

function whyOpen(
  threshold: Threshold,
  measured: number,
  twice: { before: number; after: number } | undefined,
  knee: Figures['knee'],
  unconfirmed: boolean | undefined,
): string | undefined {
  if (threshold.metric !== 'knee') {
    return whyUnsteady(threshold, measured, twice, unconfirmed);
  }
  return knee?.outcome === 'above'
    ? 'Even the highest rate that findKnee may try held: on a machine as quick as this the plan needs a higher "to"'
    : undefined;
}

/** A missed limit is the service's doing only where the machine kept its speed. A held one is never taken away. */
function whyUnsteady(
  threshold: Threshold,
  measured: number,
  twice: { before: number; after: number } | undefined,
  unconfirmed = false,
): string | undefined {
  if (unconfirmed) {
    return 'The limit was missed, but the reference service could not be measured once more after the test, so nobody knows whether the machine kept its speed.';
  }
  if (!twice) {
    return undefined;
  }
  const { before, after } = twice;
  const isApart = Math.max(before, after) > APART * Math.min(before, after);
  if (!isApart || ![before, after].some((one) => holds(threshold, times(measured, one)))) {
    return undefined;
  }
  const { metric } = threshold;
  const [name, unit] = isFloor(metric) ? ['', '/s' as const] : [`${metric} `, 'ms' as const];
  return `The machine changed its speed: the reference service reached ${name}${show(unit, before, 3)} before the test and ${show(unit, after, 3)} after it, and against one of them alone the limit holds.`;
}

function bothOf(
  metric: Threshold['metric'],
  reference: Reference | undefined,
): { before: number; after: number } | undefined {
  return reference?.before && reference.after
    ? { before: referenceOf(metric, reference.before), after: referenceOf(metric, reference.after) }
    : undefined;
}

/** As a multiple of the reference's. */
function times(value: number, one: number): number {
  return Math.round((1000 * value) / one) / 1000;
}

function referenceOf(metric: Threshold['metric'], reference: ReferenceFigures | undefined): number {
  const { latency, requestsPerSecond } = reference ?? {};
  if (metric === 'errors' || metric === 'checks' || metric === 'knee' || !latency) {
    return Number.NaN;
  }
  if (metric === 'rps') {
    return requestsPerSecond ?? Number.NaN;
  }
  return metric === 'avg' ? latency.mean : latency[metric];
}

function measure({ metric }: Threshold, figures: Figures): number | null {
  const { row, countedSeconds, knee } = figures;
  if (metric === 'knee') {
    return knee?.rate ?? null;
  }
  if (metric === 'errors') {
    return row.requests + row.unsent === 0 ? null : row.errorRatio;
  }
  if (metric === 'checks') {
    return row.answered === 0 ? null : row.successes / row.answered;
  }
  if (metric === 'rps') {
    return countedSeconds > 0 ? row.successes / countedSeconds : 0;
  }
  return row.latency.count === 0 ? null : latencyOf(metric, row.latency);
}

function latencyOf(
  metric: Exclude<Threshold['metric'], 'errors' | 'checks' | 'rps' | 'knee'>,
  latency: LatencyHistogram,
): number {
  const summary = latency.summary();
  return (metric === 'avg' ? summary?.mean : summary?.[metric]) ?? 0;
}

function holds({ operator, limit }: Threshold, actual: number): boolean {
  switch (operator) {
    case '<':
      return actual < limit;
    case '<=':
      return actual <= limit;
    case '>':
      return actual > limit;
    case '>=':
      return actual >= limit;
  }
}

function explain(threshold: Threshold, actual: number | null): string {
  const { metric, task, limit, unit } = threshold;
  const of = task === undefined ? '' : ` of "${task}"`;
  if (actual === null && metric === 'knee') {
    return 'the knee was not found';
  }
  if (actual === null) {
    return metric === 'checks' ? `no request${of} was answered` : `no request${of} succeeded`;
  }
  const name = task === undefined ? metric : `${metric}(${task})`;
  const verb = metric === 'errors' || metric === 'checks' ? 'were' : 'was';
  const bound = isFloor(metric) ? 'the least allowed' : 'the limit';
  // A value just past its limit must not read as the limit itself.
  const digits = show(unit, actual, 3) === show(unit, limit, 3) ? 6 : 3;
  return `${name} ${verb} ${show(unit, actual, digits)}, ${bound} is ${show(unit, limit, digits)}`;
}

function show(unit: Threshold['unit'], value: number, digits: number): string {
  switch (unit) {
    case 'ms':
      return `${significant(value, digits)} ms`;
    case 'ratio':
      return `${significant(value * 100, digits)} %`;
    case '/s':
      return `${significant(value, digits)}/s`;
    case 'x':
      return `${significant(value, digits)} x reference`;
  }
}

/** Three digits are what the histograms know; whole numbers above stay whole. */
function significant(value: number, digits: number): number {
  return value >= 100 && digits === 3 ? Math.round(value) : Number(value.toPrecision(digits));
}
