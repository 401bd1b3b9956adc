import type { Report } from '../../domain/report.ts';
import { formatBytes, formatMs } from '../../domain/units.ts';
import { counted, shortNumber } from '../figures.ts';
import { block, type Fragment, html, type Markup } from './markup.ts';
import { renderFailure } from './html-stages.ts';

/** What building and running printed, folded and capped. */
export function renderLogs(report: Report): Markup {
  const { build, service, outcome } = report;
  return html`<section id="logs" aria-labelledby="logs-title"><h2 id="logs-title">Logs</h2>
<p class="quiet">Printed by the submission; shown as text, with control characters made visible.</p>
<div id="build">${buildFailed(report) && outcome.failure && renderFailure(outcome.failure)}
${build ? renderLog(`Build log (${build.cached ? 'of the cached build' : formatMs(build.durationMs)})`, build.log, build.truncated ? 'The log was longer; its middle was left out.' : undefined) : html`<p>There was no build.</p>`}</div>
<div id="start">${!buildFailed(report) && outcome.failure && renderFailure(outcome.failure)}
${service ? renderLog(`Service log (${formatBytes(service.logBytes)} in all)`, service.log, serviceNote(service)) : html`<p>The service was not started.</p>`}</div>
</section>`;
}

function buildFailed(report: Report): boolean {
  return report.service === null;
}

function serviceNote(service: NonNullable<Report['service']>): string | undefined {
  const notes = [
    ...(service.logTruncated ? ['The log was longer; only a part of it is kept.'] : []),
    ...(service.logThrottled
      ? ['It was printed faster than it could be read, which slowed the service down.']
      : []),
  ];
  return notes.length > 0 ? notes.join(' ') : undefined;
}

function renderLog(title: string, text: string, note: string | undefined): Markup {
  return html`<details class="folded"><summary>${title}</summary>${note !== undefined && html`<p class="quiet">${note}</p>`}${
    text.trim() === ''
      ? html`<p class="quiet">Nothing was printed.</p>`
      : html`<pre class="log" tabindex="0">${block(text)}</pre>`
  }</details>`;
}

/** Everything that is needed to repeat the run, and how its time was spent. */
export function renderFacts(report: Report): Markup {
  return html`<section id="facts" aria-labelledby="facts-title"><h2 id="facts-title">Facts for repeating this run</h2>
${renderTimeline(report.run)}
<div class="fact-groups">
${factGroup('Run', runFacts(report))}
${factGroup('Submission', submissionFacts(report.submission))}
${factGroup('Machine', environmentFacts(report.environment))}
${factGroup('Images', Object.entries(report.environment.images))}
${factGroup(
  'Limits of the service',
  Object.entries(report.environment.limits).map(([name, value]) => [
    limitName(name),
    limitValue(name, value),
  ]),
)}
${factGroup('Seeds', [['run', report.run.seed], ...report.stages.map((stage): [string, string] => [stage.name, stage.seed])])}
</div>
${report.submission.notices.length > 0 && html`<h3>Notices about the submission</h3><ul>${report.submission.notices.map((notice) => html`<li>${notice}</li>`)}</ul>`}
</section>`;
}

function runFacts({ run, challenge }: Report): [string, string][] {
  return [
    ['Run', run.id],
    ['Started', run.startedAt],
    ['Finished', run.finishedAt],
    ['Challenge', `${challenge.title} (${challenge.slug})`],
    ['Challenge digest', challenge.digest],
  ];
}

function submissionFacts(submission: Report['submission']): [string, string][] {
  return [
    ['Digest', submission.digest],
    ['Size', `${counted(submission.files, 'file')}, ${formatBytes(submission.bytes)}`],
    ['Runtime', submission.runtime ?? 'none found'],
    ['Started with', submission.start ? submission.start.join(' ') : 'none found'],
    ['Decided by', submission.decidedBy ?? '–'],
  ];
}

function environmentFacts(environment: Report['environment']): [string, string][] {
  return [
    ['assay', environment.assay],
    ['Engine', environment.engine],
    ['Container runtime', environment.runtime],
    ['Kernel', environment.kernel],
    ['Storage, cgroup', `${environment.storageDriver}, v${environment.cgroupVersion}`],
    ['CPUs, memory', `${environment.cpus}, ${formatBytes(environment.memoryBytes)}`],
  ];
}

function limitName(name: string): string {
  return name.replace(/Bytes$/, '').replace(/Ms$/, '');
}

function limitValue(name: string, value: number | string): string {
  if (typeof value === 'string') {
    return value;
  }
  if (name.endsWith('Bytes')) {
    return formatBytes(value);
  }
  return name.endsWith('Ms') ? formatMs(value) : shortNumber(value);
}

function factGroup(title: string, facts: readonly [string, string][]): Fragment {
  return (
    facts.length > 0 &&
    html`<div><h3>${title}</h3><dl class="facts">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl></div>`
  );
}

function renderTimeline(run: Report['run']): Fragment {
  const totalMs = Math.max(run.durationMs, 1);
  return (
    run.timeline.length > 0 &&
    html`<div class="scroll"><table class="timeline"><caption>Where the time went</caption><thead class="sr"><tr><th scope="col">Phase</th><th scope="col">When</th><th scope="col">Took</th></tr></thead><tbody>${run.timeline.map(
      ({ phase, startMs, durationMs }) =>
        html`<tr><th scope="row">${phase}</th><td><svg class="bar thin" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/><rect class="value" x="${share(startMs, totalMs)}%" width="${Math.max(0.5, share(durationMs, totalMs))}%" height="6" rx="3"/></svg></td><td class="number">${formatMs(durationMs)}</td></tr>`,
    )}</tbody></table></div>`
  );
}

function share(ms: number, totalMs: number): number {
  return Number(Math.min(100, (100 * ms) / totalMs).toFixed(2));
}
