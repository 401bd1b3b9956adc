import { describe, expect, it } from 'vitest';
import { assembleReport } from '../../../src/report/assemble.ts';
import { renderSummary } from '../../../src/report/render/terminal.ts';
import { bar, columnsOf, fit, paint, table, wrap } from '../../../src/report/render/terminal-text.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

const PLAIN = { color: false, width: 100, reportPath: 'out/report.html' };

describe('renderSummary', () => {
  it('tells verdict, score, failed checks, load figures, questions and the place of the report', () => {
    const text = renderSummary(assembleReport(SAMPLE_RUNS.partialRun()), PLAIN);

    for (const words of [
      '◐ Partial',
      '49.9 of 100',
      'malformed JSON is 400',
      'p95 431 ms',
      'To talk about',
      'and 4 more points',
      'out/report.html',
    ]) {
      expect(text).toContain(words);
    }
  });

  it('lets no candidate text steer the terminal, with or without colour', () => {
    const report = assembleReport(SAMPLE_RUNS.hostileRun());
    const plain = renderSummary(report, PLAIN);
    const colored = renderSummary(report, { ...PLAIN, color: true });

    // oxlint-disable-next-line no-control-regex -- the point of the test
    const steering = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u200b]/;
    expect(plain).not.toMatch(steering);
    // oxlint-disable-next-line no-control-regex -- our own colours, each closed
    expect(colored.replace(/\u001b\[(?:0|1|3[1-6]|90)m/g, '')).toBe(plain);
  });

  it.each([40, 60, 80, 100])('keeps text of candidates within %d columns', (width) => {
    const text = renderSummary(assembleReport(SAMPLE_RUNS.partialRun()), { ...PLAIN, width });
    const questions = text.slice(text.indexOf('To talk about'), text.indexOf('Report:')).split('\n');

    expect(Math.max(...questions.map(columnsOf))).toBeLessThanOrEqual(width);
  });

  it('shows no score for a run that we could not complete', () => {
    const text = renderSummary(assembleReport(SAMPLE_RUNS.erroredRun()), PLAIN);

    expect(text).toContain('! Not graded');
    expect(text).not.toMatch(/\d+ of 100/);
  });

  it('names ten failed checks and counts the rest', () => {
    const facts = SAMPLE_RUNS.partialRun();
    const [api] = facts.stages;
    const failing = api?.checks.find((check) => check.status === 'failed');
    const many = Array.from({ length: 14 }, (_, index) => ({
      ...failing!,
      id: `x${index}`,
      name: `x${index}`,
    }));
    const text = renderSummary(
      assembleReport({
        ...facts,
        stages: [{ ...api!, checks: many }],
        challenge: { ...facts.challenge, stages: [{ name: 'api', weight: 1, checks: [] }] },
      }),
      PLAIN,
    );

    expect(text).toContain('x9');
    expect(text).not.toContain('x10');
    expect(text).toContain('and 4 more in the report');
  });
});

it('paint colours only when asked', () => {
  expect(paint('x', 'bad', { color: true })).toBe('\u001b[31mx\u001b[0m');
  expect(paint('x', 'bad', { color: false })).toBe('x');
});

it('fit and wrap count columns, wide characters as two', () => {
  expect(fit('東京東京', 5)).toBe('東京…');
  expect(wrap('one two three abcdefghijklm', 10)).toEqual(['one two', 'three', 'abcdefghij', 'klm']);
});

it('table aligns painted and wide cells', () => {
  const rows = table(
    [
      [paint('ab', 'good', { color: true }), '1'],
      ['東京x', '20'],
    ],
    [1],
  );

  expect(rows.map(columnsOf)).toEqual([9, 9]);
});

it.each([
  [0, '····'],
  [0.5, '██··'],
  [1, '████'],
  [7, '████'],
  [-1, '····'],
  [0.28, '█▏··'],
])('bar of %d', (share, drawn) => {
  expect(bar(share, 4)).toBe(drawn);
});
