import type { LoadResult } from '../../domain/report.ts';
import { formatFigure, groupThousands } from '../figures.ts';
import { type Fragment, html } from './markup.ts';
import { drawCurve, legendLine, maxOf, niceTicks, percent, renderPlot } from './plot.ts';

const LABELS = [50, 90, 99, 99.9, 99.99];

/**
 * How long which share of the requests took: the latency at every percentile, with the rare slow ones drawn as wide as
 * the many fast ones. What users waited stands beside what a tool would show that only times what it sends.
 */
export function renderDistribution({ distribution = [], total, engine }: LoadResult): Fragment {
  const points = distribution.filter(({ percent: at }) => at < 100);
  const last = points.at(-1);
  if (points.length < 2 || !last) {
    return null;
  }
  const closed = engine === 'locust';
  const top = niceTicks(Math.max(4, maxOf(points.flatMap((one) => [one.waited, one.served]))), 'ms');
  const highest = top.at(-1) ?? 1;
  const width = placeOf(last.percent);
  const curves = closed
    ? [{ label: 'sent to answered', key: 'served' as const }]
    : [
        { label: 'waited', key: 'waited' as const },
        { label: 'served', key: 'served' as const },
      ];
  return renderPlot({
    title: 'Latency by percentile',
    unit: 'milliseconds',
    description: `Latency of ${groupThousands(total.requests - total.failures)} successful requests by percentile`,
    legend: curves.map(({ label, key }, index) =>
      legendLine(index, label, `p99 ${formatFigure(at99(points, key), 'ms')}`),
    ),
    xTicks: LABELS.filter((at) => at <= last.percent + 1e-9).map((at) => ({
      at: placeOf(at) / width,
      label: `${at} %`,
    })),
    yTicks: top.map((tick) => ({ at: tick / highest, label: formatFigure(tick, 'ms') })),
    behind: null,
    curves: curves.map(({ key }, index) =>
      drawCurve(
        index,
        points.map((one) => [placeOf(one.percent) / width, one[key] / highest]),
      ),
    ),
    above: points.map((one) => {
      const told = curves.map(({ label, key }) => `${label} ${formatFigure(one[key], 'ms')}`).join(', ');
      return html`<rect class="column" x="${percent(placeOf(one.percent) / width - 0.015)}" y="0" width="3%" height="100%"><title>${one.percent} %: ${told}</title></rect>`;
    }),
    note: closed
      ? undefined
      : 'Waited counts from the moment a request was due, without the generator’s own lateness; served from its sending. The gap is what a closed-loop tool does not see.',
  });
}

/** 0 for the fastest, 1 for p90, 2 for p99, … */
function placeOf(at: number): number {
  return -Math.log10(1 - at / 100);
}

function at99(points: NonNullable<LoadResult['distribution']>, key: 'waited' | 'served'): number {
  return points.filter(({ percent: at }) => at <= 99).at(-1)?.[key] ?? 0;
}
