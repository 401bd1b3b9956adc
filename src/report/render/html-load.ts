import type { Series } from '../../domain/grader-protocol.ts';
import type { Latency } from '../../domain/load-result.ts';
import type { LoadResult, LoadTask, StageReport } from '../../domain/report.ts';
import { counted, formatFigure, groupThousands, shortNumber } from '../figures.ts';
import { findSeries } from '../load-words.ts';
import { type Curve, renderChart } from './chart.ts';
import { type Fragment, html, type Markup } from './markup.ts';

/** The load test: figures, charts over time, latency per task, thresholds, errors and the generator's health. */
export function renderLoad(stage: StageReport, load: LoadResult): Markup {
  return html`<section id="load" aria-labelledby="load-title"><h2 id="load-title">Load test</h2>
${stage.inconclusive !== undefined && html`<p class="note open"><strong>Inconclusive, not counted:</strong> ${stage.inconclusive}</p>`}
${renderFigures(load)}
${renderThresholds(load)}
${renderPhases(load)}
<div class="charts">${renderCharts(load)}</div>
${renderTasks(load)}
${renderErrors(load)}
${renderGenerator(load)}
</section>`;
}

function renderFigures({ total, unsent }: LoadResult): Markup {
  const rate = total.requests > 0 ? total.failures / total.requests : 0;
  const figures: [string, string][] = [
    ['Requests', groupThousands(total.requests)],
    ['Requests per second', shortNumber(total.requestsPerSecond)],
    ['Failed', `${groupThousands(total.failures)} (${formatFigure(rate, 'ratio')})`],
    ['p50', latencyWords(total.latency?.p50)],
    ['p95', latencyWords(total.latency?.p95)],
    ['p99', latencyWords(total.latency?.p99)],
    ...(unsent > 0 ? ([['Planned, never sent', groupThousands(unsent)]] as [string, string][]) : []),
  ];
  return html`<dl class="figures">${figures.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function renderThresholds({ thresholds }: LoadResult): Fragment {
  return html`<div class="scroll"><table><caption>Thresholds</caption><thead><tr><th scope="col">Asked for</th><th scope="col">Held</th><th scope="col" class="number">Measured</th><th scope="col" class="number">Limit</th></tr></thead><tbody>${thresholds.map(
    ({ that, ok, actual, limit, unit }) =>
      html`<tr><th scope="row"><code>${that}</code></th><td class="${ok ? 'good' : 'bad'}"><span aria-hidden="true">${ok ? '✓' : '✗'}</span> ${ok ? 'yes' : 'no'}</td><td class="number">${actual === null ? 'nothing to measure' : formatFigure(actual, unit)}</td><td class="number">${formatFigure(limit, unit)}</td></tr>`,
  )}</tbody></table></div>`;
}

function renderPhases({ phases, series }: LoadResult): Fragment {
  const lastS = Math.max(0, ...series.map((one) => one.points.at(-1)?.[0] ?? 0));
  const beyond = lastS > (phases.at(-1)?.toS ?? 0) + 1;
  return (
    phases.length > 0 &&
    html`<div><p class="phases-title">Phases, numbered in the charts:</p><ol class="phases">${phases.map(
      ({ label, fromS, toS }) =>
        html`<li>${label} <span class="quiet">${shortNumber(fromS)}–${shortNumber(toS)} s</span></li>`,
    )}</ol>${beyond && html`<p class="quiet">What follows the last phase is the wait for answers still under way.</p>`}</div>`
  );
}

function renderCharts(load: LoadResult): Fragment {
  const { phases } = load;
  const drawn = new Set<Series>();
  function take(name: RegExp, label: string, filled = false): Curve[] {
    const series = findSeries(load, name);
    if (!series || drawn.has(series)) {
      return [];
    }
    drawn.add(series);
    return [{ label, points: series.points, filled }];
  }
  return [
    renderChart({
      title: 'Latency, as users waited',
      unit: 'ms',
      curves: [...take(/\bp50\b/i, 'p50'), ...take(/\bp95\b/i, 'p95'), ...take(/\bp99\b/i, 'p99')],
      phases,
      atLeast: 4,
    }),
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
      curves: take(/cpu/i, 'CPU', true),
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
  ];
}

function renderTasks({ tasks, total }: LoadResult): Markup {
  return html`<div class="scroll"><table class="tasks"><caption>Latency in ms. <em>Waited</em> counts from when a request was due, <em>served</em> from when it was sent; where they differ, requests queued. Failed requests are kept apart.</caption>
<thead><tr><th scope="col">Task</th><th scope="col"></th><th scope="col" class="number">Requests</th><th scope="col" class="number">per s</th>${['p50', 'p90', 'p95', 'p99', 'max'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead>
${[...tasks, { ...total, name: 'All tasks' }].map(taskRows)}</table></div>`;
}

function taskRows(task: LoadTask): Markup {
  const succeeded = groupThousands(task.requests - task.failures);
  return html`<tbody><tr><th scope="row" rowspan="${task.failures > 0 ? 3 : 2}">${task.name}</th><td>waited</td><td class="number">${succeeded}</td><td class="number">${shortNumber(task.requestsPerSecond)}</td>${percentiles(task.latency)}</tr>
<tr><td>served</td><td></td><td></td>${percentiles(task.serviceTime)}</tr>
${task.failures > 0 && html`<tr class="bad"><td>failed</td><td class="number">${groupThousands(task.failures)}</td><td></td>${percentiles(task.failureLatency)}</tr>`}</tbody>`;
}

function percentiles(latency: Latency | null): Fragment {
  const values = latency
    ? [latency.p50, latency.p90, latency.p95, latency.p99, latency.max]
    : Array<undefined>(5).fill(undefined);
  return values.map(
    (value) => html`<td class="number">${value === undefined ? '–' : shortNumber(value)}</td>`,
  );
}

function renderErrors({ tasks }: LoadResult): Fragment {
  const failing = tasks.filter((task) => task.errors.length > 0);
  return (
    failing.length > 0 &&
    html`<div class="scroll"><table><caption>Failures by kind</caption><thead><tr><th scope="col">Task</th><th scope="col">What was seen</th><th scope="col" class="number">Times</th></tr></thead><tbody>${failing.map(
      (task) =>
        task.errors.map(
          (error) =>
            html`<tr><td>${task.name}</td><td>${error.message}</td><td class="number">${groupThousands(error.count)}</td></tr>`,
        ),
    )}</tbody></table></div>`
  );
}

function renderGenerator({ generator, unsent, seed }: LoadResult): Markup {
  return html`<p class="quiet">Health of the generator: requests left at most ${formatFigure(generator.schedulingLagP99Ms, 'ms')} late (p99), CPU ${formatFigure(generator.cpuRatio, 'ratio')} of one, event-loop delay ${formatFigure(generator.eventLoopDelayP99Ms, 'ms')} (p99), ${counted(unsent, 'planned request')} not sent. Seed <code>${seed}</code>.</p>`;
}

function latencyWords(value: number | undefined): string {
  return value === undefined ? '–' : formatFigure(value, 'ms');
}
