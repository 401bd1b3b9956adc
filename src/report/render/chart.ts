import { formatFigure } from '../figures.ts';
import { type Fragment, html, type Markup } from './markup.ts';

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
}

const MAX_COLUMNS = 240;

/**
 * A line chart over time as inline SVG with axes, units, legend and shaded phases. Lengths are percentages, so it
 * fits any width with text at its own size; exact values show on hovering. Empty when no curve has a point.
 */
export function renderChart(plan: ChartPlan): Fragment {
  const curves = plan.curves.filter((curve) => curve.points.length > 0);
  const seconds = curves.flatMap((curve) => curve.points.map(([second]) => second));
  if (seconds.length === 0) {
    return null;
  }
  const endS = Math.max(1, maxOf(seconds), maxOf(plan.phases.map((phase) => phase.toS)));
  const highest = maxOf(curves.flatMap((curve) => curve.points.map(([, value]) => value)));
  const ticks = niceTicks(Math.max(highest, plan.atLeast), plan.unit);
  const top = ticks.at(-1) ?? 1;
  const axis = { endS, top };
  return html`<figure class="chart">
<figcaption>${plan.title} <span class="quiet">${unitWords(plan.unit)}</span></figcaption>
<ul class="legend">${curves.map((curve, index) => legendEntry(curve, index, plan.unit))}</ul>
<div class="plot">
<svg class="y-axis" aria-hidden="true">${ticks.map(
    (tick) =>
      html`<text x="100%" y="${percent(1 - tick / top)}" dy="4">${formatFigure(tick, plan.unit)}</text>`,
  )}</svg>
<svg class="area" role="img" aria-label="${plan.title} over ${Math.round(endS)} seconds">
${plan.phases.map((phase, index) => phaseShade(phase, index, endS))}
${ticks.map((tick) => html`<line class="grid" x1="0" x2="100%" y1="${percent(1 - tick / top)}" y2="${percent(1 - tick / top)}"/>`)}
<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">${curves.map(
    (curve, index) => drawCurve(curve, index, axis),
  )}</svg>
${hoverColumns(curves, plan.unit, axis)}
</svg>
<svg class="x-axis" aria-hidden="true">${timeTicks(endS).map((tick) => timeLabel(tick, endS))}</svg>
</div>
</figure>`;
}

function legendEntry(curve: Curve, index: number, unit: string): Markup {
  const peak = formatFigure(maxOf(curve.points.map(([, value]) => value)), unit);
  return html`<li><svg class="key" aria-hidden="true"><line class="curve c${index}" x1="0" x2="100%" y1="50%" y2="50%"/></svg>${curve.label} <span class="quiet">peak ${peak}</span></li>`;
}

function phaseShade(phase: ChartPlan['phases'][number], index: number, endS: number): Markup {
  const width = Math.max(0, phase.toS - phase.fromS) / endS;
  const middle = (phase.fromS + phase.toS) / 2 / endS;
  return html`<rect class="phase p${index % 2}" x="${percent(phase.fromS / endS)}" y="0" width="${percent(width)}" height="100%"/><text class="phase-number" x="${percent(middle)}" y="-5">${index + 1}</text>`;
}

interface Axis {
  endS: number;
  top: number;
}

function drawCurve(curve: Curve, index: number, { endS, top }: Axis): Fragment {
  const places = curve.points.map(([second, value]) => [
    round((second / endS) * 1000),
    round(1000 - (Math.max(0, value) / top) * 1000),
  ]);
  const line = places.map(([x, y]) => `${x},${y}`).join(' ');
  const area = `${places[0]?.[0]},1000 ${line} ${places.at(-1)?.[0]},1000`;
  return [
    curve.filled === true && html`<polygon class="fill c${index}" points="${area}"/>`,
    html`<polyline class="curve c${index}" points="${line}"/>`,
  ];
}

/** Invisible columns whose tooltip tells the values at that second. */
function hoverColumns(curves: readonly Curve[], unit: string, { endS }: Axis): Fragment {
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
  const width = percent((step * 1) / endS);
  return columns
    .filter((_, index) => index % step === 0)
    .map(
      ([second, lines]) =>
        html`<rect class="column" x="${percent((second - 0.5) / endS)}" y="0" width="${width}" height="100%"><title>${formatFigure(second, 's')}: ${lines.join(', ')}</title></rect>`,
    );
}

function timeLabel(tick: number, endS: number): Markup {
  const anchor = tick === 0 ? 'start' : 'middle';
  return html`<text x="${percent(tick / endS)}" y="14" text-anchor="${anchor}">${formatFigure(tick, 's')}</text>`;
}

/** Marks at 0 and at round steps, at most six, not too near the end. */
export function timeTicks(endS: number): number[] {
  const step = niceStep(endS / 5);
  const count = Math.floor((endS * 0.97) / step);
  return Array.from({ length: count + 1 }, (_, index) => index * step);
}

/** Four or so round marks from 0 to at least `highest`; bytes go in steps of MiB. */
export function niceTicks(highest: number, unit: string): number[] {
  const scale = unit === 'bytes' ? 1024 ** 2 : 1;
  const step = niceStep(highest / scale / 4);
  const count = Math.max(1, Math.ceil(highest / scale / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => index * step * scale);
}

/** The next of 1, 2, 5 times a power of ten. */
function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1e-6)));
  const factor = [1, 2, 5, 10].find((one) => one * power >= atLeast * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(6));
}

function unitWords(unit: string): string {
  return (
    { '/s': 'per second', ms: 'milliseconds', ratio: 'share of one CPU', bytes: '', count: '' }[unit] ?? unit
  );
}

function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

function percent(share: number): string {
  return `${round(share * 100)}%`;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
