import { describe, expect, it } from 'vitest';
import { LoadResultSchema } from '../../../src/domain/report.ts';
import type { Report } from '../../../src/domain/report.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import { renderHtml } from '../../../src/report/render/html.ts';
import { renderMarkdown } from '../../../src/report/render/markdown.ts';
import { renderSummary } from '../../../src/report/render/terminal.ts';
import {
  loadChecks,
  makeFacts,
  makeKnee,
  makeLatency,
  makeLoadResult,
  makeStage,
} from '../../helpers/report-fixtures.ts';

const SLOW = { latency: makeLatency(2, 4, 8), requestsPerSecond: 7450 };
const QUICK = { latency: makeLatency(1, 2, 4), requestsPerSecond: 15_500 };
const MEAN = { latency: makeLatency(1.4, 2.8, 5.7), requestsPerSecond: 10_746 };

/** Through JSON, as a stored report comes. */
function reportWith(
  reference: object,
  knee: number | null,
  sought: object = {},
  thresholds: object[] = makeLoadResult(300).thresholds,
): Report {
  const load = LoadResultSchema.parse(
    JSON.parse(
      JSON.stringify({
        ...makeLoadResult(300),
        knee: { ...makeKnee(), ...sought },
        reference,
        thresholds,
        relative: { knee, total: { p50: 1, p95: 2, p99: 3 }, tasks: [] },
      }),
    ),
  );
  return assembleReport(makeFacts([makeStage('load', loadChecks(load), { load })]));
}

function formatsOf(report: Report): string[] {
  const options = { color: false, width: 100, reportPath: 'report.html' };
  // Markdown marks what could begin markup.
  return [renderHtml(report), renderMarkdown(report).replaceAll('\\', ''), renderSummary(report, options)];
}

describe('the reference service in a report', () => {
  it('shows both of its measurements', () => {
    const formats = formatsOf(reportWith({ ...MEAN, before: QUICK, after: SLOW }, 0.04));
    for (const text of formats) {
      expect(text).toContain('15,500/s before, 7,450/s after');
    }
    expect(formats[0]).toContain('and at most 10,746/s, as the mean of two');
  });

  it('shows the one there is', () => {
    for (const text of formatsOf(reportWith(QUICK, 0.03))) {
      expect(text).toContain('15,500/s');
      expect(text).not.toMatch(/ before,|mean of two/);
    }
  });

  it('does without requests per second', () => {
    const [html, markdown, terminal] = formatsOf(
      reportWith(
        { latency: MEAN.latency, before: { latency: QUICK.latency }, after: { latency: SLOW.latency } },
        null,
      ),
    );
    expect(html).toContain('p99 5.7 ms here, as the mean of two');
    for (const text of [html, markdown, terminal]) {
      expect(text).toContain('p95 2 ms before, p95 4 ms after');
    }
  });

  it('shows what it reached in turns with the search for the knee, and how that changed', () => {
    const steps = makeKnee().steps.map((step, index) => ({ ...step, reference: index < 4 ? 9900 : 6100 }));
    const formats = formatsOf(reportWith({ latency: QUICK.latency }, 0.05, { reference: 7620, steps }));
    for (const text of formats) {
      expect(text).toMatch(/7,620\/s in turns with the (?:search for the )?knee/);
    }
    expect(formats[0]).toContain(
      '7,620/s in turns with the search for the knee (the knee is × 0.05 of that)',
    );
    expect(formats[0]).toContain('it reached 7,620/s on the mean (6,100 to 9,900)');
    expect(formats[0]).toContain('failed or never sent, while the reference reached 9,900/s');
  });

  it('does not blame the service for a limit that nobody can judge', () => {
    const [limit] = makeLoadResult(300).thresholds;
    const open = { ...limit, that: 'p95 < 5 x reference', ok: false, actual: 8, limit: 5, unit: 'x' };
    const [missed, unsteady] = [open, { ...open, unsteady: true }].map((threshold) =>
      reportWith({ latency: QUICK.latency }, null, {}, [threshold]),
    );
    if (!missed || !unsteady) {
      throw new Error('both are made above');
    }
    const [html, , terminal] = formatsOf(unsteady);
    expect(html).toContain('<span aria-hidden="true">?</span> cannot be told');
    expect(terminal).toContain('? p95 < 5 x reference');
    expect(formatsOf(missed)[0]).toContain('<span aria-hidden="true">✗</span> no');
    function weak({ brief }: Report): string {
      return JSON.stringify(brief.weakest.map(({ headline }) => headline));
    }
    expect(weak(missed)).toContain('slower under load');
    expect(weak(unsteady)).not.toContain('slower under load');
  });
});
