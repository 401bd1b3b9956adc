import type { CheckReport, SampleResult } from '../domain/check-report.ts';
import { formatMs } from '../domain/units.ts';
import { visibleLine } from '../report/text-safety.ts';

const MAX_NAMED = 3;

/** The findings of a check of a challenge, for a terminal. Pure. */
export function renderCheckReport(report: CheckReport): string {
  const { challenge, stages, durationMs } = report;
  const parts = [
    [`${challenge.slug}  ${challenge.digest.slice(0, 19)}  ${stages.join(', ')}  ${formatMs(durationMs)}`],
    references(report),
    samples('Broken submissions', report.broken),
    samples('Unusual and right', report.sound),
    coverage(report),
    mutants(report),
    list('Could not be found out', report.trouble),
    list('Refused', report.refusals),
    [verdict(report)],
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(visibleLine).join('\n'))
    .join('\n\n')}\n`;
}

function verdict(report: CheckReport): string {
  if (report.ok) {
    return 'Blessed: the references pass, and the broken submissions lose what they break.';
  }
  return report.refusals.length > 0 ? 'Not blessed.' : 'Not decided: see what could not be found out.';
}

function references({ references: found, flaky }: CheckReport): string[] {
  const width = Math.max(0, ...found.map(({ name }) => name.length));
  return [
    'References',
    ...found.map(
      ({ name, ok, runs, inFull }) =>
        `  ${mark(ok)} ${name.padEnd(width)}  in full in ${inFull} of ${runs} runs`,
    ),
    ...flaky.map(
      ({ check, reference, failed, runs }) =>
        `  ✗ flaky: ${check} failed in ${failed} of ${runs} runs of ${reference}`,
    ),
  ];
}

function samples(title: string, found: readonly SampleResult[]): string[] {
  if (found.length === 0) {
    return [];
  }
  const width = Math.max(...found.map(({ name }) => name.length));
  return [
    title,
    ...found.flatMap(({ name, ok, lost, differences }) => [
      `  ${mark(ok)} ${name.padEnd(width)}  loses ${lost.length === 1 ? '1 check' : `${lost.length} checks`}`,
      ...differences.map((difference) => `      ${difference}`),
    ]),
  ];
}

function coverage({ coverage: rows, unexercised }: CheckReport): string[] {
  const width = Math.max(0, ...rows.map(({ check }) => check.length));
  return [
    `Which broken submission loses which check; ${unexercised.length} of ${rows.length} none does`,
    ...rows.map(({ check, exercisedBy }) => {
      const named = exercisedBy.slice(0, MAX_NAMED).join(', ');
      const more = exercisedBy.length > MAX_NAMED ? ` and ${exercisedBy.length - MAX_NAMED} more` : '';
      return `  ${check.padEnd(width)}  ${named === '' ? '–' : named + more}`;
    }),
  ];
}

function mutants({ mutation }: CheckReport): string[] {
  const { killed, total, survivors, meaningless, reference, skipped, durationMs } = mutation;
  if (skipped !== undefined) {
    return [`Mutants: none tried. ${skipped}`];
  }
  const share = total === 0 ? '' : ` (${Math.floor((100 * killed) / total)} %)`;
  return [
    `Mutants of ${reference ?? 'no reference'}: ${killed} of ${total} noticed${share}, ${meaningless.length} meaningless, ${formatMs(durationMs)}`,
    ...survivors.flatMap(({ operation, about, advice }) => [`  ✗ ${operation}: ${about}`, `      ${advice}`]),
  ];
}

function list(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function mark(ok: boolean): string {
  return ok ? '✓' : '✗';
}
