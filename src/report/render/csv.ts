import type { Report } from '../../domain/report.ts';
import { visibleBlock } from '../text-safety.ts';

const COLUMNS = [
  'stage',
  'suite',
  'id',
  'name',
  'status',
  'points',
  'maxPoints',
  'skill',
  'visibility',
  'durationMs',
  'message',
] as const;

/**
 * All checks of a report as CSV (RFC 4180, UTF-8), one a line. No cell can be taken for a formula by a spreadsheet:
 * lines that begin like one are set off with an apostrophe.
 */
export function renderCsv(report: Report): string {
  const rows = report.stages.flatMap((stage) =>
    stage.checks.map((check) => {
      const row = { ...check, stage: stage.name, suite: check.suite ?? '' };
      return COLUMNS.map((column) => row[column]);
    }),
  );
  return [COLUMNS, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

// What spreadsheets skip before they look for a formula: spaces of any kind, tabs, line ends.
const FORMULA = /^([\s\u00a0\ufeff]*)([=+\-@|%\uff1d\uff0b\uff0d\uff20])/;

function cell(value: string | number): string {
  if (typeof value === 'number') {
    return String(value);
  }
  const safe = visibleBlock(value)
    .split('\n')
    .map((line) => (FORMULA.test(line) || line.startsWith('\t') ? `'${line}` : line))
    .join('\n');
  return /[",\n\t;]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
