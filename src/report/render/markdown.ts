import { evidenceText } from '../../domain/evidence-text.ts';
import type { Check } from '../../domain/grader-protocol.ts';
import type { BriefItem, Report, StageReport } from '../../domain/report.ts';
import { formatMs } from '../../domain/units.ts';
import { formatFigure, shortNumber } from '../figures.ts';
import { referenceWords } from '../load-words.ts';
import { visibleBlock, visibleLine } from '../text-safety.ts';
import { blameWords, checkSign, outcomeSign, stageSign, stageTitle } from './words.ts';

const MAX_EVIDENCE_CHARS = 6000;

/**
 * The report as Markdown (CommonMark with tables) for reviewers. Whatever text others wrote is shown as text: no
 * markup, link, image, mention or HTML of theirs comes to life.
 */
export function renderMarkdown(report: Report): string {
  const parts = [
    head(report),
    skills(report),
    brief('What to talk about', report.brief.weakest),
    brief('What holds', report.brief.strongest),
    stages(report),
    ...report.stages.map(stageSection),
    facts(report),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function head({ outcome, challenge }: Report): string {
  const score = outcome.score === null ? 'no score' : `${outcome.score} of ${outcome.maxScore}`;
  return [
    `# ${outcomeSign(outcome).word}: ${text(challenge.title)}`,
    `**${score}** (pass mark ${outcome.passScore}). ${text(outcome.summary)}`,
    ...(outcome.failure
      ? [
          `Whose it is: ${blameWords(outcome.failure.blame)} (${code(outcome.failure.code)}).${outcome.failure.hint === undefined ? '' : ` What helps: ${text(outcome.failure.hint)}`}`,
          ...(outcome.failure.log ? [fenced(outcome.failure.log)] : []),
        ]
      : []),
    ...outcome.remarks.map((remark) => `> ${text(remark)}`),
  ].join('\n\n');
}

function skills(report: Report): string {
  const rows = report.skills.map((skill) => [
    text(skill.title),
    skill.score === null ? '–' : String(skill.score),
    `${shortNumber(skill.points)} of ${shortNumber(skill.maxPoints)}`,
    text(skill.summary),
  ]);
  return rows.length === 0 ? '' : `## Skills\n\n${table(['Skill', 'Score', 'Points', 'In short'], rows)}`;
}

function brief(title: string, items: readonly BriefItem[]): string {
  const lines = items.map((item) =>
    [
      `- **${text(item.headline)}** ${text(item.detail)}`,
      ...(item.question === undefined ? [] : [`  *Ask:* ${text(item.question)}`]),
      `  Evidence: ${code(item.ref)}`,
    ].join('  \n'),
  );
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.join('\n')}`;
}

function stages(report: Report): string {
  const rows = report.stages.map((stage) => [
    stageTitle(stage.name),
    stageSign(stage.status).word,
    stage.score === null ? '–' : `${Math.floor(stage.score * 1000 + 1e-9) / 10} %`,
    String(stage.weight),
    stage.maxPoints > 0 ? `${shortNumber(stage.points)} of ${shortNumber(stage.maxPoints)}` : '–',
    formatMs(stage.durationMs),
  ]);
  return rows.length === 0
    ? ''
    : `## Stages\n\n${table(['Stage', 'State', 'Score', 'Weight', 'Points', 'Took'], rows)}`;
}

function stageSection(stage: StageReport): string {
  const told = stage.checks.filter((check) => check.status === 'failed' || check.status === 'errored');
  const passed = stage.checks.filter((check) => check.status === 'passed').length;
  return [
    `### ${stageTitle(stage.name)}`,
    ...(stage.failure ? [`**${text(stage.failure.message)}** (${blameWords(stage.failure.blame)})`] : []),
    ...(stage.inconclusive === undefined
      ? []
      : [`**Inconclusive, not counted:** ${text(stage.inconclusive)}`]),
    `${passed} of ${stage.checks.length} checks passed.`,
    ...told.map(checkSection),
    ...loadFigures(stage),
  ].join('\n\n');
}

function checkSection(check: Check): string {
  const sign = checkSign(check.status);
  const detail = check.evidence ? evidenceText(check.evidence) : '';
  return [
    `#### ${sign.symbol} ${text(check.name)} (${shortNumber(check.points)}/${shortNumber(check.maxPoints)})`,
    `${code(check.id)} ${sign.word}: ${text(check.message)}`,
    ...(detail === '' ? [] : [fenced(detail)]),
  ].join('\n\n');
}

function loadFigures({ load, metrics }: StageReport): string[] {
  if (load) {
    const rows = load.tasks.map((task) => [
      text(task.name),
      String(task.requests),
      String(task.failures),
      formatFigure(task.requestsPerSecond, '/s'),
      task.latency ? formatFigure(task.latency.p50, 'ms') : '–',
      task.latency ? formatFigure(task.latency.p95, 'ms') : '–',
      task.latency ? formatFigure(task.latency.p99, 'ms') : '–',
    ]);
    return [
      table(['Task', 'Requests', 'Failures', 'Rate', 'p50', 'p95', 'p99'], rows),
      ...(load.reference
        ? [`The reference service on the same CPUs: ${text(referenceWords(load.reference, load.knee))}.`]
        : []),
    ];
  }
  const rows = metrics.map((metric) => [text(metric.name), text(formatFigure(metric.value, metric.unit))]);
  return rows.length === 0 ? [] : [table(['Figure', 'Value'], rows)];
}

function facts({ run, challenge, submission, environment }: Report): string {
  const rows = [
    ['Run', run.id],
    ['Finished', run.finishedAt],
    ['Seed', run.seed],
    ['Challenge', `${challenge.slug} ${challenge.digest}`],
    ['Submission', submission.digest],
    ['Engine', `${environment.engine}, ${environment.runtime}, assay ${environment.assay}`],
  ].map(([name = '', value = '']) => [name, code(value)]);
  return `## Facts\n\n${table(['What', 'Value'], rows)}`;
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  function line(cells: readonly string[]): string {
    return `| ${cells.join(' | ')} |`;
  }
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What can begin markup, a reference or an address inside a line. */
const MARKUP = /[\\`*_{}[\]<>#+!|~&@=$]|:(?=\S)/g;

/** One line of plain text: nothing in it is markup, and no address becomes a link by itself. */
function text(value: string): string {
  return visibleLine(value)
    .trim()
    .replace(MARKUP, String.raw`\$&`)
    .replace(/^(\d+)([.)])/, String.raw`$1\$2`)
    .replace(/^-/, String.raw`\-`)
    .replace(/\bwww\./gi, String.raw`www\.`);
}

function code(value: string): string {
  const line = visibleLine(value).replaceAll('|', '¦');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map((match) => match[0].length));
  const ticks = '`'.repeat(longest + 1);
  const pad = line.startsWith('`') || line.endsWith('`') || line === '' ? ' ' : '';
  return `${ticks}${pad}${line}${pad}${ticks}`;
}

function fenced(value: string): string {
  const shown = visibleBlock(value);
  const cut = shown.length > MAX_EVIDENCE_CHARS ? `${shown.slice(0, MAX_EVIDENCE_CHARS)}\n… (cut)` : shown;
  const longest = Math.max(2, ...[...cut.matchAll(/`+/g)].map((match) => match[0].length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}text\n${cut}\n${fence}`;
}
