import type { Check } from '../../domain/grader-protocol.ts';
import type { Failure, Report, StageReport } from '../../domain/report.ts';
import { formatMs } from '../../domain/units.ts';
import { counted, formatFigure, shortNumber } from '../figures.ts';
import { renderEvidence } from './html-exchange.ts';
import { anchorId, block, type Fragment, html, type Markup, withCode } from './markup.ts';
import { blameWords, checkSign, stageSign, stageTitle } from './words.ts';

/** All stages: a table of what each came to, then their checks, failed ones first. */
export function renderStages(report: Report): Markup {
  return html`<section id="stages" aria-labelledby="stages-title"><h2 id="stages-title">Stages and checks</h2>
<div class="scroll"><table><caption>What each stage came to</caption>
<thead><tr><th scope="col">Stage</th><th scope="col">State</th><th scope="col" class="number">Score</th><th scope="col" class="number">Weight</th><th scope="col" class="number">Points</th><th scope="col" class="number">Took</th></tr></thead>
<tbody>${report.stages.map(stageRow)}</tbody></table></div>
${report.stages.map(renderStage)}
</section>`;
}

function stageRow(stage: StageReport): Markup {
  const sign = stageSign(stage.status);
  const score = stage.score === null ? '–' : `${Math.floor(stage.score * 1000 + 1e-9) / 10} %`;
  const points =
    stage.maxPoints > 0 ? `${shortNumber(stage.points)} of ${shortNumber(stage.maxPoints)}` : '–';
  return html`<tr><th scope="row"><a href="#${anchorId(`stage:${stage.name}`)}">${stageTitle(stage.name)}</a></th><td class="${sign.tone}"><span aria-hidden="true">${sign.symbol}</span> ${sign.word}</td><td class="number">${score}</td><td class="number">${stage.weight}</td><td class="number">${points}</td><td class="number">${stage.durationMs > 0 ? formatMs(stage.durationMs) : '–'}</td></tr>`;
}

function renderStage(stage: StageReport): Fragment {
  const blocked = stage.checks.filter(
    (check) => check.status !== 'passed' && check.message.startsWith('not run: '),
  );
  const told = stage.checks.filter((check) => !blocked.includes(check));
  return html`<section class="stage" id="${anchorId(`stage:${stage.name}`)}"><h3>${stageTitle(stage.name)}</h3>
${stage.failure && renderFailure(stage.failure)}
${stage.inconclusive !== undefined && html`<p class="note open"><strong>Inconclusive, not counted:</strong> ${stage.inconclusive}</p>`}
${stage.crashes > 0 && html`<p class="note bad">The service ended by itself and was started again ${stage.crashes === 1 ? 'once' : counted(stage.crashes, 'time')}.</p>`}
${stage.checks.length === 0 && html`<p class="quiet">No check was run.</p>`}
${withStatus(told, 'failed').map(renderCheck)}
${withStatus(told, 'errored').map(renderCheck)}
${renderFolded(blocked, 'not run')}
${renderFolded(withStatus(told, 'passed'), 'passed')}
${renderFolded(withStatus(told, 'skipped'), 'skipped')}
${renderMetrics(stage)}
</section>`;
}

function withStatus(checks: readonly Check[], status: Check['status']): Check[] {
  return checks.filter((check) => check.status === status);
}

/** A failure with whose it is, what helps, and the last lines of the log. */
export function renderFailure(failure: Failure): Markup {
  const tone = failure.blame === 'candidate' || failure.blame === 'limit' ? 'bad' : 'open';
  return html`<div class="note ${tone}"><p><strong>${failure.message}</strong></p>
<p>Whose it is: ${blameWords(failure.blame)} <code>${failure.code}</code></p>
${failure.hint !== undefined && html`<p>What helps: ${withCode(failure.hint)}</p>`}
${failure.log !== undefined && failure.log !== '' && html`<pre>${block(failure.log)}</pre>`}</div>`;
}

function renderCheck(check: Check): Markup {
  const sign = checkSign(check.status);
  return html`<details class="check ${sign.tone}" id="${anchorId(`check:${check.id}`)}"><summary><span class="symbol" aria-hidden="true">${sign.symbol}</span><span class="title"><span class="sr">${sign.word}: </span><strong>${check.name}</strong> <span class="quiet suite">${check.suite}</span><span class="message">${check.message}</span></span><span class="points">${shortNumber(check.points)}/${shortNumber(check.maxPoints)}</span></summary>
<div class="evidence">${check.evidence && renderEvidence(check.evidence)}
<p class="quiet">Check <code>${check.id}</code>, took ${formatMs(check.durationMs)}, seen by candidates: ${visibilityWords(check)}.</p></div></details>`;
}

function visibilityWords(check: Check): string {
  const words = {
    hidden: 'never',
    after_due_date: 'after the due date',
    after_published: 'once released',
    visible: 'always',
  };
  return words[check.visibility];
}

function renderFolded(checks: readonly Check[], word: string): Fragment {
  if (checks.length === 0) {
    return null;
  }
  return html`<details class="folded"><summary>${counted(checks.length, 'check')} ${word}</summary><div class="scroll"><table><caption class="sr">Checks: ${word}</caption>
<thead><tr><th scope="col">Check</th><th scope="col">Suite</th><th scope="col" class="number">Points</th><th scope="col" class="number">Took</th></tr></thead><tbody>${checks.map(
    (check) =>
      html`<tr id="${anchorId(`check:${check.id}`)}"><td><span class="${checkSign(check.status).tone}" aria-hidden="true">${checkSign(check.status).symbol}</span> ${check.name}${check.message !== '' && html`<br><span class="quiet">${check.message}</span>`}</td><td>${check.suite}</td><td class="number">${shortNumber(check.points)}/${shortNumber(check.maxPoints)}</td><td class="number">${formatMs(check.durationMs)}</td></tr>`,
  )}</tbody></table></div></details>`;
}

function renderMetrics(stage: StageReport): Fragment {
  if (stage.metrics.length === 0 || stage.load) {
    return null;
  }
  return html`<dl class="facts">${stage.metrics.map(
    (metric) => html`<div><dt>${metric.name}</dt><dd>${formatFigure(metric.value, metric.unit)}</dd></div>`,
  )}</dl>`;
}
