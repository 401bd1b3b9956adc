import { marked } from 'marked';
import { describe, expect, it } from 'vitest';
import { junitXml } from '../../../src/domain/junit-xml.ts';
import type { Report } from '../../../src/domain/report.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import { renderCsv } from '../../../src/report/render/csv.ts';
import { renderJunit } from '../../../src/report/render/junit.ts';
import { renderMarkdown } from '../../../src/report/render/markdown.ts';
import { makeCheck, makeFacts, makeStage } from '../../helpers/report-fixtures.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

const NAMES = Object.keys(SAMPLE_RUNS) as (keyof typeof SAMPLE_RUNS)[];

function reportWithText(text: string): Report {
  const check = makeCheck('S', text, { id: 's/x', status: 'failed', message: text });
  return assembleReport(makeFacts([makeStage('api', [check])]));
}

describe.each(NAMES)('%s', (name) => {
  const report = assembleReport(SAMPLE_RUNS[name]());

  it('is the same text twice in every format', () => {
    for (const render of [renderCsv, renderJunit, renderMarkdown]) {
      expect(render(report)).toBe(render(assembleReport(SAMPLE_RUNS[name]())));
    }
  });

  it('has no markup of others in its Markdown', async () => {
    const html = await marked.parse(renderMarkdown(report), { gfm: true });
    expect(html).not.toMatch(/<(?:a|img|script|svg|iframe|plaintext|style)\b/i);
  });

  it('names every check in JUnit and CSV', () => {
    const checks = report.stages.flatMap((stage) => stage.checks);
    expect(renderJunit(report).match(/<testcase /g) ?? []).toHaveLength(
      checks.length + (report.outcome.failure ? 1 : 0),
    );
    expect(renderCsv(report).split('\r\n')).toHaveLength(checks.length + 2);
  });
});

describe('renderMarkdown', () => {
  it.each([
    '[x](javascript:alert(1))',
    '![x](http://127.0.0.1/x.png)',
    '<b>x</b>',
    'http://127.0.0.1/x www.example.com',
    '&lt;script&gt; **bold** `code` ~~x~~',
    '<http://127.0.0.1>',
    '[x]: http://127.0.0.1',
  ])('shows %s as the text it is', async (text) => {
    const html = await marked.parse(renderMarkdown(reportWithText(text)), { gfm: true });
    const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
    expect(html).toContain(`✗ ${escaped} (0/2)`);
    expect(html).not.toMatch(/<(?:a|img|b)\b/);
  });

  it('keeps a cell in its column and evidence in its fence', async () => {
    const report = assembleReport(SAMPLE_RUNS.partialRun());
    const [check] = report.stages.flatMap((stage) => stage.checks.filter((one) => one.evidence));
    Object.assign(check?.evidence ?? {}, { diff: ['```', '# no heading', '| a | b |'] });
    const html = await marked.parse(renderMarkdown(report), { gfm: true });
    expect(html).toContain('```\n# no heading\n| a | b |');
    expect(html).toContain('<th>Stage</th>');
  });
});

describe('renderCsv', () => {
  it.each([
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-1', "'-1"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['  =1', "'  =1"],
    ['\u00a0=1', "'\u00a0=1"],
    ['\t=1', `"'\t=1"`],
    ['a\n=1', `"a\n'=1"`],
    ['a\r=1', 'a⟨CR⟩=1'],
    ['say "x", y', '"say ""x"", y"'],
  ])('writes %j as %j', (text, cell) => {
    expect(renderCsv(reportWithText(text)).split('\r\n')[1]).toContain(`,s/x,${cell},failed,0,2,`);
  });
});

describe('junitXml', () => {
  it('tells a failure from an error, and writes what XML cannot hold as U+FFFD', () => {
    const text = 'a<b>&"\'\u0000\u001b]]>\ud800\n';
    const test = { name: text, classname: 'c', timeMs: 1500, message: text, detail: text };
    const xml = junitXml('n', [
      {
        name: 's',
        cases: [
          { ...test, outcome: 'failed' },
          { ...test, outcome: 'errored' },
          { ...test, outcome: 'skipped' },
          { ...test, name: 'ok', outcome: 'passed' },
        ],
      },
    ]);
    expect(xml).toContain('<testsuites name="n" tests="4" failures="1" errors="1" skipped="1" time="6.000">');
    expect(xml).toContain(
      '<failure message="a&lt;b&gt;&amp;&quot;&apos;\ufffd\ufffd]]&gt;\ufffd&#10;" type="failed">a&lt;b&gt;',
    );
    expect(xml).toContain('<testcase name="ok" classname="c" time="1.500"/>');
  });
});
