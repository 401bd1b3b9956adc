import type { LoadResult } from '../../domain/report.ts';
import { parseThreshold } from '../../domain/load-threshold.ts';
import { formatFigure, groupThousands, shortNumber } from '../figures.ts';
import { kneeWords } from '../load-words.ts';
import { type Fragment, html, type Markup } from './markup.ts';
import { limitLine, maxOf, niceTicks, percent, renderPlot } from './plot.ts';

type Knee = NonNullable<LoadResult['knee']>;
type KneeStep = Knee['steps'][number];
type Statistic = 'p50' | 'p95' | 'p99';

/** Times beyond this multiple of the limit are drawn at the upper edge: they would press the rest flat. */
const HEADROOM = 2.5;

/** Every rate that was tried with what it gave, and where the objective stopped holding. */
export function renderKnee(knee: Knee): Fragment {
  const { objective, steps } = knee;
  const asked = latencyLimit(objective);
  const statistic = asked?.statistic ?? 'p95';
  const held = steps.filter((step) => step.ok).map((step) => step[statistic] ?? 0);
  const highest = asked
    ? Math.max(asked.limitMs * HEADROOM, maxOf(held) * 1.2)
    : maxOf(steps.map((step) => step[statistic] ?? 0));
  const yTicks = niceTicks(Math.max(4, highest), 'ms');
  const xTicks = niceTicks(Math.max(1, maxOf(steps.map((step) => step.rate))), '/s');
  const [top, right] = [yTicks.at(-1) ?? 1, xTicks.at(-1) ?? 1];
  return renderPlot({
    title: 'Knee',
    unit: `${statistic} in milliseconds by arrivals per second`,
    description: `${statistic} at each of ${steps.length} arrival rates`,
    legend: legendOf(knee),
    xTicks: xTicks.map((tick) => ({ at: tick / right, label: formatFigure(tick, '/s') })),
    yTicks: yTicks.map((tick) => ({ at: tick / top, label: formatFigure(tick, 'ms') })),
    behind: kneeBand(knee, right),
    curves: null,
    above: [
      asked && limitLine(asked.limitMs / top, `limit ${formatFigure(asked.limitMs, 'ms')}`),
      steps.map((step) => stepMark(step, statistic, right, top)),
    ],
    note: `The highest rate at which "${objective}" held: ${kneeWords(knee)}.${paceWords(knee)}`,
  });
}

/** The rates that were tried went with the speed of the machine, if it changed: marks then lie apart, and no step erred. */
function paceWords({ reference, steps }: Knee): string {
  const rates = steps.flatMap((step) => step.reference ?? []);
  if (reference === undefined || rates.length === 0) {
    return '';
  }
  const [least, most] = [Math.min(...rates), maxOf(rates)];
  return ` Between two rates the service was held still and the reference service measured: it reached ${formatFigure(reference, '/s')} on the mean (${shortNumber(least)} to ${shortNumber(most)}). Rates were tried in proportion to that.`;
}

function legendOf({ outcome, repeats }: Knee): Markup[] {
  return [
    html`<li><svg class="key" aria-hidden="true"><circle class="held" cx="50%" cy="50%" r="4"/></svg>objective held</li>`,
    html`<li><svg class="key" aria-hidden="true"><text class="missed" x="50%" y="9" text-anchor="middle">✕</text></svg>did not hold</li>`,
    ...(outcome === 'found'
      ? [
          html`<li><svg class="key" aria-hidden="true"><rect class="knee-band" width="100%" height="100%"/><line class="knee-line" x1="50%" x2="50%" y1="0" y2="100%"/></svg>knee, 95 % interval <span class="quiet">of ${repeats} measurements</span></li>`,
        ]
      : []),
  ];
}

function kneeBand({ outcome, rate, low, high }: Knee, right: number): Fragment {
  return (
    outcome === 'found' &&
    html`<rect class="knee-band" x="${percent(low / right)}" width="${percent(Math.max(0.003, (high - low) / right))}" height="100%"/><line class="knee-line" x1="${percent(rate / right)}" x2="${percent(rate / right)}" y1="0" y2="100%"/>`
  );
}

function stepMark(step: KneeStep, statistic: Statistic, right: number, top: number): Markup {
  const value = step[statistic];
  const x = percent(step.rate / right);
  const y = percent(1 - Math.min(1, (value ?? top) / top));
  const told = html`<title>${stepWords(step, statistic)}</title>`;
  return step.ok
    ? html`<circle class="held" cx="${x}" cy="${y}" r="5">${told}</circle>`
    : html`<text class="missed" x="${x}" y="${y}" dy="5" text-anchor="middle">✕${told}</text>`;
}

function stepWords(step: KneeStep, statistic: Statistic): string {
  const value = step[statistic];
  const latency = value === null ? 'nothing succeeded' : `${statistic} ${formatFigure(value, 'ms')}`;
  const lost = step.failures + step.unsent;
  const pace =
    step.reference === undefined ? '' : `, while the reference reached ${formatFigure(step.reference, '/s')}`;
  return `${formatFigure(step.rate, '/s')}: ${latency}, ${groupThousands(step.requests)} requests, ${groupThousands(lost)} failed or never sent${pace}`;
}

function latencyLimit(objective: string): { statistic: Statistic; limitMs: number } | undefined {
  for (const part of objective.split(/\s+and\s+/)) {
    const parsed = parseThreshold(part);
    const metric = parsed.ok ? parsed.threshold.metric : undefined;
    if (parsed.ok && (metric === 'p50' || metric === 'p95' || metric === 'p99')) {
      return { statistic: metric, limitMs: parsed.threshold.limit };
    }
  }
  return undefined;
}
