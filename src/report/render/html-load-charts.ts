import type { Series } from '../../domain/grader-protocol.ts';
import type { LoadResult } from '../../domain/report.ts';
import { formatFigure } from '../figures.ts';
import { findSeries } from '../load-words.ts';
import { type Curve, renderChart } from './chart.ts';
import { renderDistribution } from './html-distribution.ts';
import { renderKnee } from './html-knee.ts';
import type { Fragment } from './markup.ts';

/** Limits that differ by less would write their names over each other. */
const MAX_LIMITS = 2;
const MAX_LABEL_CHARS = 40;

/** What happened second by second: to the users, to the requests, and to the service. */
export function renderLoadCharts(load: LoadResult): Fragment {
  const take = takerOf(load);
  const { phases } = load;
  return [
    renderChart({
      title: load.engine === 'locust' ? 'Latency, from sending to answer' : 'Latency, as users waited',
      unit: 'ms',
      curves: [...take(/\bp50\b/i, 'p50'), ...take(/\bp95\b/i, 'p95'), ...take(/\bp99\b/i, 'p99')],
      phases,
      atLeast: 4,
      limits: latencyLimits(load),
    }),
    load.knee && renderKnee(load.knee),
    renderDistribution(load),
    renderChart({
      title: 'Requests and failures',
      unit: '/s',
      curves: [...take(/\b(rps|requests)/i, 'requests'), ...take(/\b(fail|error)/i, 'failures', true)],
      phases,
      atLeast: 10,
    }),
    renderChart({
      title: 'Users',
      unit: 'count',
      curves: take(/\busers?\b/i, 'users', true),
      phases,
      atLeast: 4,
    }),
    renderChart({
      title: 'CPU of the service',
      unit: 'ratio',
      curves: [...take(/cpu/i, 'CPU', true), ...take(/throttled/i, 'held back by its limit')],
      phases,
      atLeast: 1,
    }),
    renderChart({
      title: 'Memory of the service',
      unit: 'bytes',
      curves: take(/memory/i, 'memory', true),
      phases,
      atLeast: 32 * 1024 ** 2,
    }),
    renderChart({
      title: 'Open sockets of the service',
      unit: 'count',
      curves: take(/sockets/i, 'sockets', true),
      phases,
      atLeast: 4,
    }),
  ];
}

/** Finds curves by name, each at most once: no name of a series can stand for two of them. */
function takerOf(load: LoadResult) {
  const drawn = new Set<Series>();
  return (name: RegExp, label: string, filled = false): Curve[] => {
    const series = findSeries(load, name);
    if (!series || drawn.has(series)) {
      return [];
    }
    drawn.add(series);
    return [{ label, points: series.points, filled }];
  };
}

/** What the thresholds ask of latency, strictest first. A limit of one task stands beside the curves of all. */
function latencyLimits({ thresholds }: LoadResult): { label: string; value: number }[] {
  const limits = thresholds.filter(({ unit }) => unit === 'ms').toSorted((a, b) => a.limit - b.limit);
  const different = limits.filter(
    ({ limit }, index) => index === 0 || limit > 1.5 * (limits[index - 1]?.limit ?? 0),
  );
  return different.slice(0, MAX_LIMITS).map(({ that, limit }) => ({
    label: `asked for: ${that.length > MAX_LABEL_CHARS ? formatFigure(limit, 'ms') : that}`,
    value: limit,
  }));
}
