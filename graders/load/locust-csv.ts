import type { LoadRequest } from '../../src/domain/load-request.ts';
import type { LoadPlan } from '../../src/domain/load-plan.ts';
import { LatencyHistogram } from './latency-histogram.ts';
import type { Recorder, RowRecorder } from './recorder.ts';
import { CSV_PERCENTS, percentCells, timeCells } from './time-cells.ts';

const PERCENT_COLUMNS = CSV_PERCENTS.map((percent) => `${percent}%`);
const STATS_COLUMNS = [
  'Type',
  'Name',
  'Request Count',
  'Failure Count',
  'Median Response Time',
  'Average Response Time',
  'Min Response Time',
  'Max Response Time',
  'Average Content Size',
  'Requests/s',
  'Failures/s',
  ...PERCENT_COLUMNS,
];
const HISTORY_COLUMNS = [
  'Timestamp',
  'User Count',
  'Type',
  'Name',
  'Requests/s',
  'Failures/s',
  ...PERCENT_COLUMNS,
  'Total Request Count',
  'Total Failure Count',
  'Total Median Response Time',
  'Total Average Response Time',
  'Total Min Response Time',
  'Total Max Response Time',
  'Total Average Content Size',
];
const FAILURE_COLUMNS = ['Method', 'Name', 'Error', 'Occurrences'];
/** Sizes of contents are not kept. */
const NOT_KEPT = 'N/A';

type Cell = string | number;

/** One request row with its name. */
interface NamedRow {
  name: string;
  method: string;
  recorder: RowRecorder;
}

/**
 * What was measured, as the CSV files that Locust writes with `--csv load`, column by column. Times are those from
 * intended start to end, failures included as Locust does it.
 */
export function toLocustCsv(measured: {
  plan: LoadPlan;
  rowNames: readonly string[];
  recorder: Recorder;
  countedSeconds: number;
  /** When the test began, on this process's monotonic clock. */
  startMs: number;
}): Record<string, string> {
  const { plan, rowNames, recorder, countedSeconds, startMs } = measured;
  const beganS = (performance.timeOrigin + startMs) / 1000;
  const methods = methodsOf(plan);
  const rows = rowNames.flatMap((name, index): NamedRow[] => {
    const row = recorder.rows[index];
    return row ? [{ name, method: methods.get(name) ?? '', recorder: row }] : [];
  });
  const total = { name: 'Aggregated', method: '', recorder: recorder.total() };
  return {
    'load_stats.csv': csv([STATS_COLUMNS, ...[...rows, total].map((row) => statsRow(row, countedSeconds))]),
    'load_stats_history.csv': csv([HISTORY_COLUMNS, ...historyRows(recorder, beganS)]),
    'load_failures.csv': csv([FAILURE_COLUMNS, ...rows.flatMap(failureRows)]),
  };
}

function methodsOf(plan: LoadPlan): Map<string, string> {
  const requests = plan.users.flatMap((user): LoadRequest[] => [
    ...user.onStart,
    ...user.tasks.flatMap(({ steps }) => steps),
    ...user.onStop,
  ]);
  return new Map(requests.map(({ name, method }) => [name, method]));
}

function statsRow({ name, method, recorder }: NamedRow, seconds: number): Cell[] {
  const all = new LatencyHistogram();
  all.add(recorder.latency);
  all.add(recorder.failureLatency);
  const { requests, failures } = recorder;
  return [
    method,
    name,
    requests,
    failures,
    ...timeCells(all),
    NOT_KEPT,
    perSecond(requests, seconds),
    perSecond(failures, seconds),
    ...percentCells(all),
  ];
}

function historyRows({ intervals }: Recorder, beganS: number): Cell[][] {
  let requests = 0;
  let failures = 0;
  return intervals.map((interval) => {
    requests += interval.requests;
    failures += interval.failures;
    const { percentiles, totals } = interval.history;
    return [
      Math.floor(beganS + interval.atS + interval.lengthS),
      interval.users,
      '',
      'Aggregated',
      perSecond(interval.requests, interval.lengthS),
      perSecond(interval.failures, interval.lengthS),
      ...(percentiles ?? CSV_PERCENTS.map(() => NOT_KEPT)),
      requests,
      failures,
      ...totals,
      NOT_KEPT,
    ];
  });
}

function failureRows({ name, method, recorder }: NamedRow): Cell[][] {
  return recorder.toTask(name, 1).errors.map(({ message, count }) => [method, name, message, count]);
}

function perSecond(count: number, seconds: number): string {
  return (seconds > 0 ? count / seconds : 0).toFixed(6);
}

function csv(rows: readonly (readonly Cell[])[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Text of the service may be in an error: it is quoted, and no spreadsheet takes it for a formula. */
function cell(value: Cell): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
