import { formatFigure } from '../figures.ts';
import { type Fragment, html, type Markup } from './markup.ts';
import { drawCurve, legendLine, limitLine, maxOf, niceStep, niceTicks, percent, renderPlot } from './plot.ts';

/** One curve of a chart; `points` are [seconds, value]. */
export interface Curve {
  label: string;
  points: readonly (readonly [number, number])[];
  /** Drawn as an area under the line, for counts that are mostly zero. */
  filled?: boolean;
}

export interface ChartPlan {
  title: string;
  unit: string;
  curves: readonly Curve[];
  phases: readonly { label: string; fromS: number; toS: number }[];
  /** Least upper end of the value axis, so that noise near zero does not fill the chart. */
  atLeast: number;
  /** Levels that were asked for. */
  limits?: readonly { label: string; value: number }[];
  note?: string;
}

const MAX_COLUMNS = 240;
/** Limits far above the curves would press them flat. */
const MAX_HEADROOM = 4;

/** A line chart over time with shaded phases; exact values show on hovering. Empty when no curve has a point. */
export function renderChart(plan: ChartPlan): Fragment {
  const { title, unit, phases } = plan;
  const curves = plan.curves.filter((curve) => curve.points.length > 0);
  const seconds = curves.flatMap((curve) => curve.points.map(([second]) => second));
  if (seconds.length === 0) {
    return null;
  }
  const endS = Math.max(1, maxOf(seconds), maxOf(phases.map((phase) => phase.toS)));
  const highest = maxOf(curves.flatMap((curve) => curve.points.map(([, value]) => value)));
  const limits = (plan.limits ?? []).filter(
    ({ value }) => value <= MAX_HEADROOM * Math.max(highest, plan.atLeast),
  );
  const ticks = niceTicks(Math.max(highest, plan.atLeast, maxOf(limits.map(({ value }) => value))), unit);
  const top = ticks.at(-1) ?? 1;
  return renderPlot({
    title,
    unit: unitWords(unit),
    description: `${title} over ${Math.round(endS)} seconds`,
    legend: curves.map((curve, index) =>
      legendLine(
        index,
        curve.label,
        `peak ${formatFigure(maxOf(curve.points.map(([, value]) => value)), unit)}`,
      ),
    ),
    xTicks: timeTicks(endS).map((tick) => ({ at: tick / endS, label: formatFigure(tick, 's') })),
    yTicks: ticks.map((tick) => ({ at: tick / top, label: formatFigure(tick, unit) })),
    behind: phases.map((phase, index) => phaseShade(phase, index, endS)),
    curves: curves.map((curve, index) =>
      drawCurve(
        index,
        curve.points.map(([second, value]) => [second / endS, value / top]),
        curve.filled,
      ),
    ),
    above: [
      limits.map(({ label, value }) => limitLine(value / top, label)),
      hoverColumns(curves, unit, endS),
    ],
    note: plan.note,
  });
}

function phaseShade(phase: ChartPlan['phases'][number], index: number, endS: number): Markup {
  const width = Math.max(0, phase.toS - phase.fromS) / endS;
  const middle = (phase.fromS + phase.toS) / 2 / endS;
  return html`<rect class="phase p${index % 2}" x="${percent(phase.fromS / endS)}" y="0" width="${percent(width)}" height="100%"/><text class="phase-number" x="${percent(middle)}" y="-5">${index + 1}</text>`;
}

/** Invisible columns whose tooltip tells the values at that second. */
function hoverColumns(curves: readonly Curve[], unit: string, endS: number): Fragment {
  const bySecond = new Map<number, string[]>();
  for (const curve of curves) {
    for (const [second, value] of curve.points) {
      const lines = bySecond.get(second) ?? [];
      lines.push(`${curve.label} ${formatFigure(value, unit)}`);
      bySecond.set(second, lines);
    }
  }
  const columns = [...bySecond].toSorted(([a], [b]) => a - b);
  const step = Math.ceil(columns.length / MAX_COLUMNS);
  const width = percent(step / endS);
  return columns
    .filter((_, index) => index % step === 0)
    .map(
      ([second, lines]) =>
        html`<rect class="column" x="${percent((second - 0.5) / endS)}" y="0" width="${width}" height="100%"><title>${formatFigure(second, 's')}: ${lines.join(', ')}</title></rect>`,
    );
}

/** Marks at 0 and at round steps, at most six. */
export function timeTicks(endS: number): number[] {
  const step = niceStep(endS / 5);
  const count = Math.floor(endS / step + 1e-9);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

function unitWords(unit: string): string {
  return (
    { '/s': 'per second', ms: 'milliseconds', ratio: 'share of one CPU', bytes: '', count: '', users: '' }[
      unit
    ] ?? unit
  );
}
