import type { BriefItem, LoadResult, Report } from '../../domain/report.ts';
import { formatMs } from '../../domain/units.ts';
import { counted, formatFigure, groupThousands, shortNumber } from '../figures.ts';
import { heldWords, kneeWords, measuredWords, referenceWords } from '../load-words.ts';
import { bar, fit, paint, signText, table, terminalText, type TerminalStyle, wrap } from './terminal-text.ts';
import { blameWords, checkSign, outcomeSign, stageSign, stageTitle } from './words.ts';

export interface SummaryOptions extends TerminalStyle {
  /** Where the full report is, shown at the end. */
  reportPath: string;
}

const MAX_CHECKS = 10;
const MAX_POINTS = 3;

/**
 * The report on one or two screens of a terminal: verdict and score, stages, failed checks, load figures, and the
 * points to talk about. Ends with a line feed. Text of the candidate cannot steer the terminal.
 */
export function renderSummary(report: Report, options: SummaryOptions): string {
  // Lines much longer than a page are hard to read however wide the terminal is.
  const style = { color: options.color, width: Math.max(40, Math.min(options.width, 110)) };
  const parts = [
    outcomeLines(report, style),
    stageLines(report, style),
    failedCheckLines(report, style),
    report.stages.flatMap((stage) => (stage.load ? loadLines(stage.load, style) : [])),
    briefLines(report.brief.weakest, style),
    [`Report: ${paint(terminalText(options.reportPath), 'link', style)}`],
  ];
  const lines = parts.filter((part) => part.length > 0).map((part) => part.join('\n'));
  return `\n${lines.join('\n\n')}\n`;
}

function outcomeLines({ outcome, challenge }: Report, style: TerminalStyle): string[] {
  const sign = outcomeSign(outcome);
  const score =
    outcome.score === null
      ? ''
      : `  ${bar(outcome.score / outcome.maxScore, 20)}  ${outcome.score} of ${outcome.maxScore}, pass mark ${outcome.passScore}`;
  const failure = outcome.failure;
  const notes = [
    outcome.summary,
    ...(failure ? [`Whose it is: ${blameWords(failure.blame)} (${failure.code}).`] : []),
    ...(failure?.hint === undefined ? [] : [`What helps: ${failure.hint}`]),
    ...outcome.remarks.map((remark) => `Note: ${remark}`),
  ];
  return [
    `${paint(`${sign.symbol} ${sign.word}`, sign.tone, style)}${score}  ${paint(terminalText(challenge.title), 'quiet', style)}`,
    ...notes.flatMap((note) => indented(note, style)),
  ];
}

function stageLines({ stages }: Report, style: TerminalStyle): string[] {
  const rows = stages.map((stage) => {
    const measured = stage.checks.filter((check) => check.status === 'passed' || check.status === 'failed');
    const passed = measured.filter((check) => check.status === 'passed').length;
    return [
      `  ${stageTitle(terminalText(stage.name))}`,
      stage.status === 'completed' ? bar(stage.score ?? 0, 10) : signText(stageSign(stage.status), style),
      stage.score === null ? '–' : `${shortNumber(Math.floor(stage.score * 1000 + 1e-9) / 10)} %`,
      measured.length > 0 && stage.status !== 'inconclusive' ? `${passed}/${measured.length} checks` : '–',
      `weight ${stage.weight}`,
      stage.durationMs > 0 ? formatMs(stage.durationMs) : '–',
    ];
  });
  return rows.length === 0 ? [] : [heading('Stages', style), ...table(rows, [2, 3, 5])];
}

function failedCheckLines({ stages }: Report, style: TerminalStyle): string[] {
  const failed = stages
    .filter((stage) => stage.status !== 'inconclusive')
    .flatMap((stage) => stage.checks)
    .filter((check) => check.status === 'failed' || check.status === 'errored');
  const told = failed.filter((check) => !check.message.startsWith('not run: '));
  if (failed.length === 0) {
    return [];
  }
  const lines = told.slice(0, MAX_CHECKS).flatMap((check) => {
    const sign = checkSign(check.status);
    const suite = check.suite === undefined ? '' : `${check.suite}: `;
    const title = fit(terminalText(`${suite}${check.name}`), style.width - 4);
    return [
      `  ${paint(sign.symbol, sign.tone, style)} ${title}`,
      `    ${paint(fit(terminalText(check.message), style.width - 4), 'quiet', style)}`,
    ];
  });
  const more = told.length - Math.min(told.length, MAX_CHECKS);
  const notRun = failed.length - told.length;
  return [
    heading('Checks that did not pass', style),
    ...lines,
    ...(more > 0 ? [paint(`    and ${more} more in the report`, 'quiet', style)] : []),
    ...(notRun > 0 ? [paint(`    ${counted(notRun, 'check')} not run`, 'quiet', style)] : []),
  ];
}

function loadLines(load: LoadResult, style: TerminalStyle): string[] {
  const { total } = load;
  const failed = total.requests > 0 ? total.failures / total.requests : 0;
  const latency = total.latency;
  const figures = [
    `${groupThousands(total.requests)} requests, ${shortNumber(total.requestsPerSecond)}/s`,
    `${formatFigure(failed, 'ratio')} failed`,
    ...(latency
      ? [
          `p50 ${formatFigure(latency.p50, 'ms')}, p95 ${formatFigure(latency.p95, 'ms')}, p99 ${formatFigure(latency.p99, 'ms')}`,
        ]
      : []),
  ];
  if (load.knee) {
    figures.push(`knee ${kneeWords(load.knee)}`);
  }
  if (load.reference) {
    figures.push(`reference ${referenceWords(load.reference, load.knee)}`);
  }
  const rows = load.thresholds.map((threshold) => {
    const { sign, tone } = heldWords(threshold);
    return [
      `  ${paint(sign, tone, style)} ${fit(terminalText(threshold.that), style.width - 30)}`,
      measuredWords(threshold),
    ];
  });
  return [heading('Load', style), `  ${figures.join(' · ')}`, ...table(rows, [1])];
}

function briefLines(weakest: readonly BriefItem[], style: TerminalStyle): string[] {
  if (weakest.length === 0) {
    return [];
  }
  const lines = weakest
    .slice(0, MAX_POINTS)
    .flatMap((item, index) => [
      `  ${index + 1}. ${fit(terminalText(item.headline), style.width - 5)}`,
      ...wrap(terminalText(item.question ?? item.detail), style.width - 5).map(
        (line) => `     ${paint(line, 'quiet', style)}`,
      ),
    ]);
  const more = weakest.length - Math.min(weakest.length, MAX_POINTS);
  return [
    heading('To talk about', style),
    ...lines,
    ...(more > 0 ? [paint(`     and ${counted(more, 'more point')} in the report`, 'quiet', style)] : []),
  ];
}

function indented(text: string, style: TerminalStyle): string[] {
  return wrap(terminalText(text), style.width - 2).map((line) => `  ${line}`);
}

function heading(text: string, style: TerminalStyle): string {
  return paint(text, 'bold', style);
}
