import type { BriefItem, Report, SkillReport } from '../../domain/report.ts';
import { counted, shortNumber } from '../figures.ts';
import { renderEvidence } from './html-exchange.ts';
import { anchorId, type Fragment, html, type Markup, withCode } from './markup.ts';

const SKILL_WORDS: Readonly<Record<BriefItem['skill'], string>> = {
  'api-design': 'API design',
  engineering: 'Engineering',
  ml: 'Machine learning',
};

/** The discussion brief: weak points with their questions first, then what speaks for the work. */
export function renderBrief(report: Report): Markup {
  const { weakest, strongest } = report.brief;
  return html`<section id="discussion" aria-labelledby="discussion-title">
<h2 id="discussion-title">Discussion brief</h2>
<p class="lead">Made from the evidence below: a start for the conversation, not a judgement of the person.</p>
<h3>To talk about</h3>
${
  weakest.length === 0
    ? html`<p>Nothing was lost in this run.</p>`
    : html`<ol class="points">${weakest.map(renderWeak)}</ol>`
}
<h3>What speaks for the work</h3>
${
  strongest.length === 0
    ? html`<p>No part of the run passed in full.</p>`
    : html`<ul class="points strong">${strongest.map(renderStrong)}</ul>`
}
</section>`;
}

function renderWeak(item: BriefItem): Markup {
  return html`<li class="point">
<h4>${item.headline}</h4>
<p class="cost quiet">${SKILL_WORDS[item.skill]} · ${costWords(item)}</p>
${item.question !== undefined && html`<blockquote><p>${withCode(item.question)}</p></blockquote>`}
<p class="detail">${withCode(item.detail)} ${evidenceLink(item)}</p>
${item.evidence && html`<details class="peek"><summary>Show the exchange</summary>${renderEvidence({ exchanges: item.evidence.exchanges })}</details>`}
</li>`;
}

function costWords(item: BriefItem): string {
  const cost = item.lostScore > 0 ? `cost ${shortNumber(item.lostScore)} of 100` : 'cost no points';
  return item.checks.length > 1 ? `${cost}, ${counted(item.checks.length, 'check')}` : cost;
}

function renderStrong(item: BriefItem): Markup {
  return html`<li class="point"><h4><span class="good-mark" aria-hidden="true">✓</span> ${item.headline}</h4><p class="detail">${withCode(item.detail)} ${evidenceLink(item)}</p></li>`;
}

function evidenceLink(item: BriefItem): Fragment {
  return html`<a href="#${anchorId(item.ref)}">Evidence</a>`;
}

/** The skills as bars with a sentence each. */
export function renderSkills(skills: readonly SkillReport[]): Markup {
  return html`<section id="skills" aria-labelledby="skills-title"><h2 id="skills-title">Skills</h2>
<div class="cards">${skills.map(renderSkill)}</div></section>`;
}

function renderSkill(skill: SkillReport): Markup {
  const measured = skill.score !== null;
  return html`<article class="card${!measured && ' unmeasured'}"><h3>${skill.title}</h3>
${
  measured
    ? html`<p class="skill-score"><strong>${skill.score}</strong> <span class="quiet">of 100 · ${shortNumber(skill.points)} of ${shortNumber(skill.maxPoints)} points</span></p>
<svg class="bar thin" aria-hidden="true"><rect class="track" width="100%" height="6" rx="3"/><rect class="value" width="${skill.score}%" height="6" rx="3"/></svg>`
    : html`<p class="skill-score quiet">not measured</p>`
}<p>${skill.summary}</p></article>`;
}
