import { createHash } from 'node:crypto';
import type { Report } from '../../domain/report.ts';
import { renderBrief, renderSkills } from './html-brief.ts';
import { renderFacts, renderLogs } from './html-facts.ts';
import { renderLoad } from './html-load.ts';
import { renderOutcome } from './html-outcome.ts';
import { renderStages } from './html-stages.ts';
import { html, type Markup, renderMarkup, trusted } from './markup.ts';
import { PAGE_STYLE } from './page-style.ts';
import { outcomeSign } from './words.ts';

const STYLE_HASH = createHash('sha256').update(PAGE_STYLE).digest('base64');

/** No script at all, no request of any kind, only the one style sheet of ours. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${STYLE_HASH}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/**
 * The report as one self-contained page for reviewers: it shows everything, hidden checks included. Opens from a
 * file, loads nothing, runs nothing. Equal reports give equal pages to the byte.
 */
export function renderHtml(report: Report): string {
  const load = report.stages.find((stage) => stage.load);
  const title = `${outcomeSign(report.outcome).word}: ${report.challenge.title}`;
  const page = html`<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(PAGE_STYLE)}</style>
</head>
<body>
${renderOutcome(report)}
${renderNavigation(load !== undefined)}
<main>
${renderSkills(report.skills)}
${renderBrief(report)}
${renderStages(report)}
${load?.load && renderLoad(load, load.load)}
${renderLogs(report)}
${renderFacts(report)}
</main>
<footer><p>Graded by assay ${report.environment.assay} on ${report.run.finishedAt.slice(0, 10)}. Report version ${report.reportVersion}.</p></footer>
</body>
</html>
`;
  return `<!doctype html>\n${renderMarkup(page)}`;
}

function renderNavigation(hasLoad: boolean): Markup {
  const places: [string, string][] = [
    ['skills', 'Skills'],
    ['discussion', 'Discussion'],
    ['stages', 'Stages'],
    ...(hasLoad ? ([['load', 'Load']] as [string, string][]) : []),
    ['logs', 'Logs'],
    ['facts', 'Facts'],
  ];
  return html`<nav aria-label="Parts of the report"><ul>${places.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}
