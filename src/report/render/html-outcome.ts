import type { Report, StageReport } from '../../domain/report.ts';
import { formatMs } from '../../domain/units.ts';
import { shortNumber } from '../figures.ts';
import { countChecks } from '../outcome.ts';
import { anchorId, type Fragment, html, type Markup, withCode } from './markup.ts';
import { blameWords, outcomeSign, stageSign, stageTitle } from './words.ts';

/** The banner: verdict, score against the pass mark, one sentence, whose it is, and the figures of the run. */
export function renderOutcome(report: Report): Markup {
  const { outcome } = report;
  const sign = outcomeSign(outcome);
  return html`<header class="outcome ${sign.tone}">
<p class="eyebrow">${report.challenge.title}</p>
<div class="verdict">
<h1><span class="symbol" aria-hidden="true">${sign.symbol}</span> ${sign.word}</h1>
${renderScore(outcome)}
</div>
<p class="summary">${outcome.summary}</p>
${outcome.failure && html`<p class="blame"><strong>Whose it is:</strong> ${blameWords(outcome.failure.blame)} <code>${outcome.failure.code}</code></p>`}
${outcome.failure?.hint !== undefined && html`<p class="hint"><strong>What helps:</strong> ${withCode(outcome.failure.hint)}</p>`}
${renderKeyFigures(report)}
${renderStageBars(report.stages)}
${outcome.remarks.length > 0 && html`<ul class="remarks">${outcome.remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`}
</header>`;
}

function renderScore({ score, maxScore, passScore, scoreRange }: Report['outcome']): Fragment {
  if (score === null) {
    return html`<p class="score quiet">no score</p>`;
  }
  const label = `Score ${score} of ${maxScore}, pass mark ${passScore}`;
  return html`<div class="score"><p><strong>${score}</strong> <span class="quiet">of ${maxScore}</span></p>
<svg class="bar" role="img" aria-label="${label}"><rect class="track" width="100%" height="10" y="5" rx="5"/>${
    scoreRange &&
    html`<rect class="range" x="${scoreRange.worst}%" width="${scoreRange.best - scoreRange.worst}%" height="10" y="5"/>`
  }<rect class="value" width="${score}%" height="10" y="5" rx="5"/><line class="mark" x1="${passScore}%" x2="${passScore}%" y1="0" y2="20"/></svg>
<p class="quiet">pass mark ${passScore}${scoreRange && html`, possible range ${scoreRange.worst} to ${scoreRange.best}`}</p></div>`;
}

/** Each stage in a line, so that the reader sees at once where the points were left. */
function renderStageBars(stages: readonly StageReport[]): Fragment {
  return (
    stages.length > 1 &&
    html`<ul class="stage-bars" aria-label="Stages">${stages.map(({ name, score, status }) => {
      const share = score === null ? 0 : Math.floor(score * 1000 + 1e-9) / 10;
      const told = score === null ? stageSign(status).word : `${share} %`;
      return html`<li><a href="#${anchorId(`stage:${name}`)}">${stageTitle(name)}</a><svg class="bar thin" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/><rect class="value" width="${share}%" height="6" rx="3"/></svg><span>${told}</span></li>`;
    })}</ul>`
  );
}

function renderKeyFigures(report: Report): Markup {
  const checks = countChecks(report.stages);
  const load = report.stages.find((stage) => stage.load)?.load;
  const figures: [string, string][] = [
    ['Checks passed', checks.measured > 0 ? `${checks.passed} of ${checks.measured}` : 'none run'],
    ['Build', buildWords(report.build)],
    ['Ready after', report.service?.readyMs ? formatMs(report.service.readyMs) : 'never'],
    ...(load ? ([['Load p95', p95Words(load.total.latency?.p95)]] as [string, string][]) : []),
    ['Run took', formatMs(report.run.durationMs)],
  ];
  return html`<dl class="figures">${figures.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function buildWords(build: Report['build']): string {
  if (build === null) {
    return 'not begun';
  }
  return build.cached ? 'from the cache' : formatMs(build.durationMs);
}

function p95Words(p95: number | undefined): string {
  return p95 === undefined ? 'nothing succeeded' : `${shortNumber(p95)} ms`;
}
