import { describe, expect, it } from 'vitest';
import { reaches, scoreRun, scoreStage, shownScore } from '../../../src/report/score.ts';
import { makeCheck } from '../../helpers/report-fixtures.ts';

describe('scoreStage', () => {
  it('takes points over passed and failed checks and leaves skipped and errored ones out', () => {
    const score = scoreStage([
      makeCheck('A', 'one', { maxPoints: 3 }),
      makeCheck('A', 'two', { maxPoints: 1, status: 'failed' }),
      makeCheck('A', 'three', { maxPoints: 50, status: 'skipped' }),
      makeCheck('A', 'four', { maxPoints: 7, status: 'errored' }),
    ]);

    expect(score).toEqual({
      points: 3,
      maxPoints: 4,
      score: 0.75,
      unmeasuredPoints: 7,
      passed: 1,
      errored: 1,
    });
  });

  it('counts partial credit of a failed check', () => {
    const half = makeCheck('A', 'half', { status: 'failed', maxPoints: 4, points: 1 });

    expect(scoreStage([half]).score).toBe(0.25);
  });

  it('has no score when nothing with points was measured', () => {
    expect(scoreStage([]).score).toBeNull();
    expect(scoreStage([makeCheck('A', 'x', { status: 'skipped' })]).score).toBeNull();
    expect(scoreStage([makeCheck('A', 'x', { maxPoints: 0 })]).score).toBeNull();
  });

  it('draws points outside their range to the nearer end', () => {
    const checks = [
      makeCheck('A', 'more', { maxPoints: 2, points: 99 }),
      makeCheck('A', 'less', { maxPoints: 2, points: -5 }),
    ];

    expect(scoreStage(checks).points).toBe(2);
  });
});

describe('scoreRun', () => {
  it('weighs measured stages against each other', () => {
    expect(
      scoreRun([
        { weight: 70, score: 1 },
        { weight: 30, score: 0.5 },
      ]),
    ).toBeCloseTo(85, 9);
  });

  it('leaves out a stage that was not measured, instead of counting it as nothing', () => {
    expect(
      scoreRun([
        { weight: 70, score: 0.8 },
        { weight: 30, score: null },
      ]),
    ).toBeCloseTo(80, 9);
  });

  it('is null without any measured stage', () => {
    expect(scoreRun([{ weight: 70, score: null }])).toBeNull();
    expect(scoreRun([])).toBeNull();
  });
});

describe('shownScore', () => {
  it.each([
    [69.96, 69.9],
    [69.999_999_9, 69.9],
    [70, 70],
    [100 * 0.7, 70],
    [(100 * (0.1 + 0.2)) / 0.3, 100],
    [0, 0],
  ])('cuts %d to %d', (score, shown) => {
    expect(shownScore(score)).toBe(shown);
  });

  it('never shows a score at the pass mark that does not reach it', () => {
    for (let score = 69; score < 71; score += 0.0137) {
      expect(shownScore(score) >= 70).toBe(reaches(score, 70));
    }
  });
});
