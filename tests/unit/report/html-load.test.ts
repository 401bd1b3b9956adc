import { describe, expect, it } from 'vitest';
import type { LoadResult } from '../../../src/domain/report.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import { renderHtml } from '../../../src/report/render/html.ts';
import { loadChecks, makeFacts, makeLoadResult, makeStage } from '../../helpers/report-fixtures.ts';

function pageOf(overrides: Partial<LoadResult>): string {
  const load = makeLoadResult(300, overrides);
  return renderHtml(assembleReport(makeFacts([makeStage('load', loadChecks(load), { load })])));
}

/** The figure with that title. */
function figure(page: string, title: string): string {
  return page.split('<figure').find((part) => part.includes(`<figcaption>${title}`)) ?? '';
}

describe('the charts of a load test', () => {
  it('show what was asked for beside the latency, strictest first and not every shade of it', () => {
    const chart = figure(
      pageOf({
        thresholds: [
          { that: 'p95 < 200ms', limit: 200, unit: 'ms' },
          { that: 'p99(follow) < 120ms', limit: 120, unit: 'ms' },
          { that: 'p90 < 130ms', limit: 130, unit: 'ms' },
          { that: 'errors < 1%', limit: 0.01, unit: 'ratio' },
        ].map((asked) => ({ ...asked, ok: true, actual: 1 })),
      }),
      'Latency, as users waited',
    );

    expect([...chart.matchAll(/limit-label"[^>]*>([^<]*)</g)].map(([, text]) => text)).toEqual([
      'asked for: p99(follow) &lt; 120ms',
      'asked for: p95 &lt; 200ms',
    ]);
  });

  it('leave out a limit far above everything, which would press the curves flat', () => {
    const thresholds = [{ that: 'p95 < 1m', ok: true, actual: 1, limit: 60_000, unit: 'ms' }];

    expect(figure(pageOf({ thresholds }), 'Latency, as users waited')).not.toContain('limit-label');
  });

  it('draw true latency beside the naive one, as far as there are requests', () => {
    const chart = figure(pageOf({}), 'Latency by percentile');

    expect(chart.match(/<polyline/g)).toHaveLength(2);
    expect(chart).toContain('>99.9 %<');
    expect(chart).not.toContain('>99.99 %<');
    expect(figure(pageOf({ distribution: [] }), 'Latency by percentile')).toBe('');
  });

  it('say of Locust what it cannot see, and draw only what it measured', () => {
    const page = pageOf({ engine: 'locust', remarks: ['Made by Locust: <closed> model.'] });

    expect(page).toContain('Made by Locust: &lt;closed&gt; model.');
    expect(figure(page, 'Latency by percentile').match(/<polyline/g)).toHaveLength(1);
    expect(figure(page, 'Latency, from sending to answer')).not.toBe('');
  });
});
