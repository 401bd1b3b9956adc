import type { Check } from '../domain/grader-protocol.ts';

export const MAX_SCORE = 100;

/** Sums of one stage. A skipped check is in none of them. */
export interface StageScore {
  /** Over passed and failed checks. */
  points: number;
  maxPoints: number;
  /** 0..1, or null when no check with points was measured. */
  score: number | null;
  /** Points of errored checks: ours, left out of both sums. */
  unmeasuredPoints: number;
  /** Checks with the status `passed`. */
  passed: number;
  /** Checks with the status `errored`. */
  errored: number;
}

/** A stage's weight beside what it scored, 0..1, or null when it was not measured. */
export interface WeightedScore {
  weight: number;
  score: number | null;
}

/** Scores a stage from its checks. Points outside 0..maxPoints are drawn to the nearer end. */
export function scoreStage(checks: readonly Check[]): StageScore {
  const sums = { points: 0, maxPoints: 0, unmeasuredPoints: 0, passed: 0, errored: 0 };
  for (const check of checks) {
    if (check.status === 'errored') {
      sums.errored += 1;
      sums.unmeasuredPoints += check.maxPoints;
    } else if (check.status !== 'skipped') {
      sums.passed += check.status === 'passed' ? 1 : 0;
      sums.points += Math.min(Math.max(check.points, 0), check.maxPoints);
      sums.maxPoints += check.maxPoints;
    }
  }
  return { ...sums, score: sums.maxPoints > 0 ? sums.points / sums.maxPoints : null };
}

/** The same checks when none of them can be trusted: everything but the skipped is unmeasured. */
export function scoreUnmeasured(checks: readonly Check[]): StageScore {
  const open = checks.filter((check) => check.status !== 'skipped');
  const unmeasuredPoints = open.reduce((sum, check) => sum + check.maxPoints, 0);
  return { points: 0, maxPoints: 0, score: null, unmeasuredPoints, passed: 0, errored: open.length };
}

/** Score of the run, 0..100 and not rounded, over the measured stages; null when there is none. */
export function scoreRun(stages: readonly WeightedScore[]): number | null {
  let reached = 0;
  let weights = 0;
  for (const stage of stages) {
    if (stage.score !== null) {
      reached += stage.weight * stage.score;
      weights += stage.weight;
    }
  }
  return weights > 0 ? (MAX_SCORE * reached) / weights : null;
}

/** Sums of fractions such as 0.1 + 0.2 stray by about 1e-13; this much is no difference. */
const TOLERANCE = 1e-9;

/** Whether a score reaches the pass mark. */
export function reaches(score: number, passScore: number): boolean {
  return score >= passScore - TOLERANCE;
}

/** Cuts a score to one decimal, never upwards: a shown 70 was reached, 69.96 is shown as 69.9. */
export function shownScore(score: number): number {
  return Math.floor(score * 10 + TOLERANCE * 10) / 10;
}
