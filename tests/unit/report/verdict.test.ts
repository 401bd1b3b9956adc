import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/domain/grader-protocol.ts';
import { scoreStage, scoreUnmeasured } from '../../../src/report/score.ts';
import { decideVerdict, type JudgedStage } from '../../../src/report/verdict.ts';
import { makeCheck } from '../../helpers/report-fixtures.ts';

function stage(weight: number, checks: Check[], unmeasured = false): JudgedStage {
  return { ...(unmeasured ? scoreUnmeasured(checks) : scoreStage(checks)), weight, unmeasured };
}

function checks(passed: number, failed: number, errored = 0): Check[] {
  return [
    ...Array.from({ length: passed }, (_, index) => makeCheck('P', `p${index}`, { maxPoints: 1 })),
    ...Array.from({ length: failed }, (_, index) =>
      makeCheck('F', `f${index}`, { maxPoints: 1, status: 'failed' }),
    ),
    ...Array.from({ length: errored }, (_, index) =>
      makeCheck('E', `e${index}`, { maxPoints: 1, status: 'errored' }),
    ),
  ];
}

describe('decideVerdict', () => {
  it.each([
    ['at the pass mark', checks(7, 3), 'passed', 70],
    ['just below it', checks(69, 31), 'partial', 69],
    ['one passed check', checks(1, 99), 'partial', 1],
    ['no passed check', checks(0, 5), 'failed', 0],
    ['everything', checks(5, 0), 'passed', 100],
  ])('%s', (_, all, verdict, score) => {
    const judged = decideVerdict([stage(1, all)], 70);

    expect(judged.verdict).toBe(verdict);
    expect(judged.score).toBeCloseTo(score, 9);
    expect(judged.range).toBeNull();
  });

  it('fails a run that did not build or start, with a score of 0', () => {
    expect(decideVerdict([], 70, { blame: 'candidate' })).toEqual({
      verdict: 'failed',
      score: 0,
      range: null,
    });
    expect(decideVerdict([stage(1, checks(5, 0))], 70, { blame: 'limit' }).verdict).toBe('failed');
  });

  it('keeps the verdict when what was not measured cannot change it', () => {
    expect(decideVerdict([stage(1, checks(80, 10, 10))], 70).verdict).toBe('passed');
    expect(decideVerdict([stage(1, checks(30, 60, 10))], 70).verdict).toBe('partial');
  });

  it('is inconclusive when what was not measured could lift it over the mark, or drop it below', () => {
    const judged = decideVerdict([stage(1, checks(65, 25, 10))], 70);

    expect(judged.verdict).toBe('inconclusive');
    expect(judged.range?.worst).toBeCloseTo(65, 9);
    expect(judged.range?.best).toBeCloseTo(75, 9);
  });

  it('is inconclusive when no check passed but one that errored might have', () => {
    expect(decideVerdict([stage(1, checks(0, 9, 1))], 70).verdict).toBe('inconclusive');
  });

  it('takes a whole unmeasured stage from nothing to everything, known checks or not', () => {
    const api = stage(70, checks(8, 2));

    expect(decideVerdict([api, stage(30, checks(3, 0), true)], 70).verdict).toBe('inconclusive');
    expect(decideVerdict([api, stage(30, [], true)], 70).range?.worst).toBeCloseTo(56, 9);
    expect(decideVerdict([api, stage(10, [], true)], 70).verdict).toBe('passed');
  });

  it('is inconclusive when nothing was measured at all', () => {
    expect(decideVerdict([], 70).verdict).toBe('inconclusive');
    expect(decideVerdict([stage(1, checks(0, 0, 3))], 70)).toMatchObject({
      verdict: 'inconclusive',
      score: null,
    });
  });

  it('holds for any run: the score lies in its range, and filling in the unmeasured part agrees with the verdict', () => {
    const random = seeded(7);
    let inconclusive = 0;
    for (let round = 0; round < 3000; round += 1) {
      const counts = Array.from({ length: 1 + pick(random, 3) }, () => ({
        weight: 1 + pick(random, 90),
        passed: pick(random, 12),
        failed: pick(random, 12),
        errored: pick(random, 4),
      }));
      const judged = decideVerdict(
        counts.map(({ weight, passed, failed, errored }) => stage(weight, checks(passed, failed, errored))),
        70,
      );
      const filled = counts.map(({ weight, passed, failed, errored }) => {
        const won = pick(random, errored + 1);
        return stage(weight, checks(passed + won, failed + errored - won));
      });
      const truth = decideVerdict(filled, 70);
      if (judged.range && judged.score !== null) {
        expect(judged.range.worst).toBeLessThanOrEqual(judged.score + 1e-9);
        expect(judged.range.best).toBeGreaterThanOrEqual(judged.score - 1e-9);
      }
      if (judged.range && truth.score !== null) {
        expect(truth.score).toBeGreaterThanOrEqual(judged.range.worst - 1e-9);
        expect(truth.score).toBeLessThanOrEqual(judged.range.best + 1e-9);
      }
      inconclusive += judged.verdict === 'inconclusive' ? 1 : 0;
      if (judged.verdict !== 'inconclusive') {
        expect(truth.verdict).toBe(judged.verdict);
      }
    }
    expect(inconclusive).toBeGreaterThan(50);
  });
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function pick(random: () => number, below: number): number {
  return Math.floor(random() * below);
}
