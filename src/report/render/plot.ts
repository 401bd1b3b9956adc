import { type Fragment, html, type Markup } from './markup.ts';

/** A mark on an axis; `at` is its place from 0 (left or below) to 1. */
export interface Tick {
  at: number;
  label: string;
}

export interface PlotPlan {
  title: string;
  /** Said in grey behind the title: the unit of the vertical axis. */
  unit: string;
  /** Said to those who cannot see the curves. */
  description: string;
  legend: readonly Markup[];
  xTicks: readonly Tick[];
  yTicks: readonly Tick[];
  /** Drawn first, in the plot's own size; lengths as percentages. */
  behind: Fragment;
  /** Drawn in a square of 1000 by 1000 that is stretched over the plot; y grows downwards. */
  curves: Fragment;
  /** Drawn last, as `behind`. */
  above: Fragment;
  /** A sentence under the plot. */
  note?: string | undefined;
}

/**
 * A plot as inline SVG with axes, unit and legend. Lengths are percentages, so it fits any width with text at its own
 * size, and nothing in it runs or loads.
 */
export function renderPlot(plan: PlotPlan): Markup {
  const { title, unit, description, legend, xTicks, yTicks, behind, curves, above, note } = plan;
  return html`<figure class="chart">
<figcaption>${title} <span class="quiet">${unit}</span></figcaption>
<ul class="legend">${legend}</ul>
<div class="plot">
<svg class="y-axis" aria-hidden="true">${yTicks.map(({ at, label }) => html`<text x="100%" y="${percent(1 - at)}" dy="4">${label}</text>`)}</svg>
<svg class="area" role="img" aria-label="${description}">
${behind}
${yTicks.map(({ at }) => html`<line class="grid" x1="0" x2="100%" y1="${percent(1 - at)}" y2="${percent(1 - at)}"/>`)}
<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%" height="100%">${curves}</svg>
${above}
</svg>
<svg class="x-axis" aria-hidden="true">${xTicks.map(xLabel)}</svg>
</div>
${note !== undefined && html`<p class="chart-note">${note}</p>`}
</figure>`;
}

/** Labels at the ends stay within the plot. */
function xLabel({ at, label }: Tick): Markup {
  return html`<text x="${percent(at)}" y="14" text-anchor="${anchorAt(at)}">${label}</text>`;
}

function anchorAt(at: number): string {
  if (at > 0.96) {
    return 'end';
  }
  return at < 0.04 ? 'start' : 'middle';
}

/** An entry of a legend: the line as it is drawn, and what it is. */
export function legendLine(index: number, label: string, detail?: string): Markup {
  return html`<li><svg class="key" aria-hidden="true"><line class="curve c${index}" x1="0" x2="100%" y1="50%" y2="50%"/></svg>${label}${detail !== undefined && html` <span class="quiet">${detail}</span>`}</li>`;
}

/** A curve through places from 0 to 1 in both directions, for `curves`; `filled` draws the area under it too. */
export function drawCurve(
  index: number,
  places: readonly (readonly [number, number])[],
  filled = false,
): Fragment {
  const points = places.map(([x, y]) => [rounded(x * 1000), rounded(1000 - clamped(y) * 1000)] as const);
  const line = points.map(([x, y]) => `${x},${y}`).join(' ');
  const area = `${points[0]?.[0]},1000 ${line} ${points.at(-1)?.[0]},1000`;
  return [
    filled && html`<polygon class="fill c${index}" points="${area}"/>`,
    html`<polyline class="curve c${index}" points="${line}"/>`,
  ];
}

/** A level that something was asked to stay under (or over), with its name at the right end. */
export function limitLine(at: number, label: string): Fragment {
  if (at < 0 || at > 1) {
    return null;
  }
  const y = percent(1 - at);
  // Near the upper edge its name stands below the line.
  const dy = at > 0.9 ? 13 : -5;
  return html`<line class="limit" x1="0" x2="100%" y1="${y}" y2="${y}"/><text class="limit-label" x="100%" dx="-4" y="${y}" dy="${dy}">${label}</text>`;
}

/** Four or so round marks from 0 to at least `highest`; bytes go in steps of MiB. */
export function niceTicks(highest: number, unit: string): number[] {
  const scale = unit === 'bytes' ? 1024 ** 2 : 1;
  const step = niceStep(highest / scale / 4);
  const count = Math.max(1, Math.ceil(highest / scale / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, index) => index * step * scale);
}

/** The next of 1, 2, 5 times a power of ten. */
export function niceStep(atLeast: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(atLeast, 1e-6)));
  const factor = [1, 2, 5, 10].find((one) => one * power >= atLeast * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(6));
}

export function maxOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** A share of 0 to 1 as a length of SVG. */
export function percent(share: number): string {
  return `${rounded(share * 100)}%`;
}

function clamped(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}
