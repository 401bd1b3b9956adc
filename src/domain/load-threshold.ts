import { parseDuration, parsePercentage, parseRate } from './units.ts';

const THRESHOLD_METRICS = [
  'p50',
  'p90',
  'p95',
  'p99',
  'avg',
  'min',
  'max',
  'errors',
  'checks',
  'rps',
  'knee',
] as const;
type ThresholdMetric = (typeof THRESHOLD_METRICS)[number];

/** A threshold understood: `p95(follow) < 100ms`. `task` undefined means all requests together. */
export interface Threshold {
  metric: ThresholdMetric;
  task: string | undefined;
  operator: '<' | '<=' | '>' | '>=';
  /** In `unit`: milliseconds, a fraction of 1, requests per second, or multiples of the reference service. */
  limit: number;
  unit: 'ms' | 'ratio' | '/s' | 'x';
}

export type ThresholdParse = { ok: true; threshold: Threshold } | { ok: false; message: string };

const GRAMMAR = /^([a-z]+\d*)\s*(?:\(([^()]*)\))?\s*(<=|>=|<|>)\s*(\S.*)$/i;
const TIMES_REFERENCE = /^(\d+(?:\.\d+)?)\s*x\s+reference$/;
const EXPECTED = 'expected "<metric>(<task>) < <limit>", such as "p95(follow) < 100ms" or "errors < 1%"';

/**
 * Reads a threshold. Latency and errors take an upper limit, `rps`, `knee` and `checks` a lower one. All but errors and
 * checks may be limited by a multiple of what the reference service reached: `p95(follow) < 20 x reference`.
 */
export function parseThreshold(text: string): ThresholdParse {
  const match = GRAMMAR.exec(text.trim());
  const [, name, task, operator, limitText] = match ?? [];
  if (name === undefined || operator === undefined || limitText === undefined) {
    return { ok: false, message: `${EXPECTED}; got "${text}"` };
  }
  const metric = THRESHOLD_METRICS.find((known) => known === name);
  if (!metric) {
    return {
      ok: false,
      message: `unknown metric "${name}"; expected one of ${THRESHOLD_METRICS.join(', ')}`,
    };
  }
  if (task !== undefined && task.trim() === '') {
    return { ok: false, message: `name a task between the brackets, or leave them out for all requests` };
  }
  if (metric === 'knee' && task !== undefined) {
    return { ok: false, message: 'there is one knee, of all requests together: leave the brackets out' };
  }
  return readLimit(metric, task?.trim(), operator as Threshold['operator'], limitText);
}

/** True where more is better: the limit is a floor. */
export function isFloor(metric: ThresholdMetric): boolean {
  return metric === 'rps' || metric === 'checks' || metric === 'knee';
}

function readLimit(
  metric: ThresholdMetric,
  task: string | undefined,
  operator: Threshold['operator'],
  text: string,
): ThresholdParse {
  if (operator.startsWith('>') !== isFloor(metric)) {
    const fitting = isFloor(metric) ? '>' : '<';
    return { ok: false, message: `${metric} takes "${fitting}" or "${fitting}=", got "${operator}"` };
  }
  const limit = limitOf(metric, text.trim());
  return limit
    ? { ok: true, threshold: { metric, task, operator, ...limit } }
    : { ok: false, message: `${metric} is compared with ${kindOfLimit(metric)}, got "${text}"` };
}

function limitOf(metric: ThresholdMetric, text: string): Pick<Threshold, 'limit' | 'unit'> | undefined {
  if (metric === 'errors' || metric === 'checks') {
    const limit = parsePercentage(text);
    return limit === undefined || limit > 1 ? undefined : { limit, unit: 'ratio' };
  }
  const times = TIMES_REFERENCE.exec(text)?.[1];
  if (times !== undefined) {
    return { limit: Number(times), unit: 'x' };
  }
  if (metric === 'rps' || metric === 'knee') {
    const limit = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : parseRate(text);
    return limit === undefined ? undefined : { limit, unit: '/s' };
  }
  const limit = parseDuration(text);
  return limit === undefined ? undefined : { limit, unit: 'ms' };
}

function kindOfLimit(metric: ThresholdMetric): string {
  if (metric === 'errors' || metric === 'checks') {
    return 'a percentage from 0% to 100%, such as "1%"';
  }
  return isFloor(metric)
    ? 'a rate, such as "200/s", or a multiple, such as "0.2 x reference"'
    : 'a duration with a unit, such as "100ms", or a multiple, such as "20 x reference"';
}
