import type { Blame } from '../domain/errors.ts';
import type { Verdict } from '../domain/verdict.ts';
import { MAX_SCORE, reaches, type StageScore, scoreRun } from './score.ts';

/** A stage as the verdict sees it. */
export interface JudgedStage extends StageScore {
  weight: number;
  /**
   * The stage as such could not be measured. It matters only when its checks are unknown:
   * then it counts as anything from nothing to everything.
   */
  unmeasured: boolean;
}

export interface Judgement {
  verdict: Verdict;
  /** Uncut; null when nothing was measured. */
  score: number | null;
  /** Worst and best case over what was not measured; null when everything was. */
  range: { worst: number; best: number } | null;
}

/**
 * The verdict of a completed run. What could not be measured is taken as all lost, then as all won: when the two
 * verdicts differ, the run is `inconclusive`. `failure` is what ended the run before its stages, on the
 * candidate's side; a run that we or the spec ended is errored and has no verdict.
 */
export function decideVerdict(
  stages: readonly JudgedStage[],
  passScore: number,
  failure?: { blame: Blame },
): Judgement {
  if (failure) {
    return { verdict: 'failed', score: 0, range: null };
  }
  const score = scoreRun(stages);
  const worst = assume(stages, 0);
  const best = assume(stages, 1);
  if (worst.score === null || best.score === null) {
    return { verdict: 'inconclusive', score, range: null };
  }
  const verdicts = [verdictOf(worst, passScore), verdictOf(best, passScore)] as const;
  const open = stages.some((stage) => stage.unmeasured || stage.unmeasuredPoints > 0 || stage.errored > 0);
  return {
    verdict: verdicts[0] === verdicts[1] && score !== null ? verdicts[0] : 'inconclusive',
    score,
    range: open ? { worst: worst.score, best: best.score } : null,
  };
}

interface Assumed {
  score: number | null;
  anyPassed: boolean;
}

/** The run with every unmeasured point lost (`share` 0) or won (1). */
function assume(stages: readonly JudgedStage[], share: 0 | 1): Assumed {
  const scores = stages.map((stage) => {
    const maxPoints = stage.maxPoints + stage.unmeasuredPoints;
    if (maxPoints > 0) {
      return { weight: stage.weight, score: (stage.points + share * stage.unmeasuredPoints) / maxPoints };
    }
    return { weight: stage.weight, score: stage.unmeasured ? share : null };
  });
  const open = stages.some((stage) => stage.errored > 0 || stage.unmeasured);
  return {
    score: scoreRun(scores),
    anyPassed: stages.some((stage) => stage.passed > 0) || (share === 1 && open),
  };
}

function verdictOf(run: Assumed, passScore: number): Verdict {
  if (!run.anyPassed) {
    return 'failed';
  }
  return reaches(run.score ?? 0, Math.min(passScore, MAX_SCORE)) ? 'passed' : 'partial';
}
