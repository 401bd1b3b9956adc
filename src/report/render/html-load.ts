import type { Latency } from '../../domain/load-result.ts';
import type { LoadResult, LoadTask, StageReport } from '../../domain/report.ts';
import { counted, formatFigure, groupThousands, shortNumber } from '../figures.ts';
import { heldWords, kneeWords, measuredWords } from '../load-words.ts';
import { renderLoadCharts } from './html-load-charts.ts';
import { renderReference } from './html-reference.ts';
import { type Fragment, html, type Markup } from './markup.ts';

/** The load test: figures, charts over time, latency per task, thresholds, errors and the generator's health. */
export function renderLoad(stage: StageReport, load: LoadResult): Markup {
  return html`<section id="load" aria-labelledby="load-title"><h2 id="load-title">Load test</h2>
${stage.inconclusive !== undefined && html`<p class="note open"><strong>Inconclusive, not counted:</strong> ${stage.inconclusive}</p>`}
${(load.remarks ?? []).map((remark) => html`<p class="note quiet-note">${remark}</p>`)}
${renderFigures(load)}
${renderThresholds(load)}
${renderPhases(load)}
<div class="charts">${renderLoadCharts(load)}</div>
${renderTasks(load)}
${renderReference(load)}
${renderErrors(load)}
${renderGenerator(load)}
</section>`;
}

function renderFigures({ total, unsent, knee }: LoadResult): Markup {
  const rate = total.requests > 0 ? total.failures / total.requests : 0;
  const figures: [string, string][] = [
    ['Requests', groupThousands(total.requests)],
    ['Requests per second', shortNumber(total.requestsPerSecond)],
    ['Failed', `${groupThousands(total.failures)} (${formatFigure(rate, 'ratio')})`],
    ['p50', latencyWords(total.latency?.p50)],
    ['p95', latencyWords(total.latency?.p95)],
    ['p99', latencyWords(total.latency?.p99)],
    ...(knee ? ([['Knee', kneeWords(knee)]] as [string, string][]) : []),
    ...(unsent > 0 ? ([['Planned, never sent', groupThousands(unsent)]] as [string, string][]) : []),
  ];
  return html`<dl class="figures">${figures.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function renderThresholds({ thresholds }: LoadResult): Fragment {
  return html`<div class="scroll"><table><caption>Thresholds</caption><thead><tr><th scope="col">Asked for</th><th scope="col">Held</th><th scope="col" class="number">Measured</th><th scope="col" class="number">Limit</th></tr></thead><tbody>${thresholds.map(
    (threshold) => {
      const { that, limit, unit } = threshold;
      const { sign, word, tone } = heldWords(threshold);
      return html`<tr><th scope="row"><code>${that}</code></th><td class="${tone}"><span aria-hidden="true">${sign}</span> ${word}</td><td class="number">${measuredWords(threshold)}</td><td class="number">${formatFigure(limit, unit)}</td></tr>`;
    },
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

function renderTasks({ tasks, total, engine }: LoadResult): Markup {
  const ownLateness =
    engine === 'locust'
      ? ''
      : ' (what the generator was late itself, see below, is taken off where its CPU is its own)';
  return html`<div class="scroll"><table class="tasks"><caption>Latency in ms. <em>Waited</em> counts from when a request was due${ownLateness}, <em>served</em> from when it was sent; where they differ, requests queued. Failed requests are kept apart.</caption>
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

function renderGenerator({ generator, unsent, seed, interference, engine }: LoadResult): Markup {
  const { droppedArrivals, othersCpuRatio, answerTimeErrorP99Ms } = generator;
  const more = [
    ...(answerTimeErrorP99Ms === undefined
      ? []
      : [`answers timed to ${formatFigure(answerTimeErrorP99Ms, 'ms')} (p99)`]),
    ...(droppedArrivals === undefined ? [] : [`${counted(droppedArrivals, 'arrival')} it never came to`]),
    ...(typeof othersCpuRatio === 'number'
      ? [`${formatFigure(othersCpuRatio, 'ratio')} of its CPUs used by others`]
      : []),
    ...(typeof interference === 'number'
      ? [`${formatFigure(interference, 'ratio')} of the service's CPUs used by others`]
      : []),
  ];
  if (engine === 'locust') {
    return html`<p class="quiet">Health of Locust: its users went on at most ${formatFigure(generator.schedulingLagP99Ms, 'ms')} late (p99), CPU ${formatFigure(generator.cpuRatio, 'ratio')} of one in its busiest process. Its choices are random and not seeded.</p>`;
  }
  return html`<p class="quiet">Health of the generator: requests left at most ${formatFigure(generator.schedulingLagP99Ms, 'ms')} late (p99), CPU ${formatFigure(generator.cpuRatio, 'ratio')} of one, event-loop delay ${formatFigure(generator.eventLoopDelayP99Ms, 'ms')} (p99), ${counted(unsent, 'planned request')} not sent${more.map((one) => `, ${one}`)}. Seed <code>${seed}</code>.</p>`;
}

function latencyWords(value: number | undefined): string {
  return value === undefined ? '–' : formatFigure(value, 'ms');
}
