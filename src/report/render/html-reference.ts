import type { LoadResult } from '../../domain/report.ts';
import { formatFigure, shortNumber } from '../figures.ts';
import { referenceWords } from '../load-words.ts';
import { type Fragment, html } from './markup.ts';

/** The latency beside that of the built-in reference service, which was measured on the same CPUs. */
export function renderReference({ reference, relative, knee: sought }: LoadResult): Fragment {
  if (!reference || !relative) {
    return null;
  }
  const { latency, requestsPerSecond, after } = reference;
  const most = requestsPerSecond !== undefined && `, and at most ${formatFigure(requestsPerSecond, '/s')}`;
  const turns =
    sought?.reference !== undefined &&
    `, and ${formatFigure(sought.reference, '/s')} in turns with the search for the knee`;
  const knee = typeof relative.knee === 'number' && ` (the knee is × ${shortNumber(relative.knee)} of that)`;
  const twice =
    after && `, as the mean of two measurements (reference ${referenceWords(reference, undefined)})`;
  const rows = [...relative.tasks, { name: 'All tasks', latency: relative.total }];
  return html`<div class="scroll"><table><caption>Latency as a multiple of the reference service's, which answered at p50 ${formatFigure(latency.p50, 'ms')}, p95 ${formatFigure(latency.p95, 'ms')} and p99 ${formatFigure(latency.p99, 'ms')} here${most}${twice}${turns}${knee}: these figures compare between machines and days</caption>
<thead><tr><th scope="col">Task</th>${['p50', 'p95', 'p99'].map((name) => html`<th scope="col" class="number">${name}</th>`)}</tr></thead><tbody>${rows.map(
    ({ name, latency: times }) =>
      html`<tr><th scope="row">${name}</th>${[times?.p50, times?.p95, times?.p99].map((value) => html`<td class="number">${value === undefined ? '–' : `× ${shortNumber(value)}`}</td>`)}</tr>`,
  )}</tbody></table></div>`;
}
