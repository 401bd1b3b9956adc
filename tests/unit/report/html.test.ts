import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { assembleReport } from '../../../src/report/assemble.ts';
import { timeTicks } from '../../../src/report/render/chart.ts';
import { niceTicks } from '../../../src/report/render/plot.ts';
import { renderHtml } from '../../../src/report/render/html.ts';
import { anchorId, block, html, renderMarkup, withCode } from '../../../src/report/render/markup.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

describe('html', () => {
  it('escapes text in element content and in attributes', () => {
    const text = '"><script>`\'&';

    expect(renderMarkup(html`<p title="${text}">${text}</p>`)).toBe(
      '<p title="&quot;&gt;&lt;script&gt;&#96;&#39;&amp;">&quot;&gt;&lt;script&gt;&#96;&#39;&amp;</p>',
    );
  });

  it('takes nested markup and lists as they are, and nothing for absent values', () => {
    expect(
      renderMarkup(
        html`<ul>${['a', '<b>'].map((one) => html`<li>${one}</li>`)}${null}${undefined}${false}${0}</ul>`,
      ),
    ).toBe('<ul><li>a</li><li>&lt;b&gt;</li>0</ul>');
  });

  it('keeps line feeds in a block, the first one included', () => {
    expect(renderMarkup(html`<pre>${block('\na\n<b>')}</pre>`)).toBe('<pre>\n\na\n&lt;b&gt;</pre>');
  });

  it('turns text between backticks into code, and leaves a lone backtick', () => {
    expect(renderMarkup(withCode('a `<b>` c'))).toBe('a <code>&lt;b&gt;</code> c');
    expect(renderMarkup(withCode('a ` b'))).toBe('a &#96; b');
  });

  it('makes anchors that are unique and harmless', () => {
    const ids = ['check:a/b', 'check:a_b', 'check:a-b', 'check:a"b', 'check:a b', 'check:a_2f_b'].map(
      anchorId,
    );

    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.join('')).toMatch(/^[\w-]+$/);
  });
});

describe('renderHtml', () => {
  it.each([
    'passedRun',
    'partialRun',
    'buildFailureRun',
    'neverReadyRun',
    'inconclusiveRun',
    'erroredRun',
    'hostileRun',
  ] as const)(
    '%s: one page without scripts, handlers, inline styles or remote addresses, equal to the byte',
    (name) => {
      const page = renderHtml(assembleReport(SAMPLE_RUNS[name]()));

      expect(page).toBe(renderHtml(assembleReport(SAMPLE_RUNS[name]())));
      expect(page).not.toMatch(/<script|<iframe|<img|<object|<[a-z][^<>]*\son\w+=|<[a-z][^<>]*\sstyle=/i);
      expect(
        [...page.matchAll(/\b(?:href|src)="([^"]*)"/g)]
          .map((match) => match[1])
          .filter((url) => !/^(#[\w-]+|data:,)$/.test(url ?? '')),
      ).toEqual([]);
    },
  );

  it('allows its own style sheet by digest and nothing else', () => {
    const page = renderHtml(assembleReport(SAMPLE_RUNS.passedRun()));
    const style = /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? '';
    const digest = createHash('sha256').update(style).digest('base64');

    expect(style.length).toBeGreaterThan(1000);
    expect(page).toContain(
      `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'`,
    );
  });

  it('has a place for every link of the brief', () => {
    const report = assembleReport(SAMPLE_RUNS.partialRun());
    const page = renderHtml(report);

    for (const item of [...report.brief.weakest, ...report.brief.strongest]) {
      expect(page).toContain(`id="${anchorId(item.ref)}"`);
    }
  });

  it('says whose a failure is, and shows no score where there is none', () => {
    expect(renderHtml(assembleReport(SAMPLE_RUNS.erroredRun()))).toContain(
      'the grading service&#39;s, not the candidate&#39;s',
    );
    expect(renderHtml(assembleReport(SAMPLE_RUNS.erroredRun()))).toContain('no score');
    expect(renderHtml(assembleReport(SAMPLE_RUNS.buildFailureRun()))).toContain('the submission&#39;s');
  });
});

it('axes end at round marks that hold every value', () => {
  expect(niceTicks(749, 'ms')).toEqual([0, 200, 400, 600, 800]);
  expect(niceTicks(1, 'ratio')).toEqual([0, 0.5, 1]);
  expect(niceTicks(93 * 1024 ** 2, 'bytes').at(-1)).toBe(100 * 1024 ** 2);
  expect(niceTicks(0, 'ms').at(-1)).toBeGreaterThan(0);
  expect(timeTicks(30)).toEqual([0, 10, 20, 30]);
  for (let highest = 0.001; highest < 1e7; highest *= 1.7) {
    const ticks = niceTicks(highest, 'ms');
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(highest * (1 - 1e-6));
    expect(ticks.length).toBeLessThanOrEqual(6);
  }
});
