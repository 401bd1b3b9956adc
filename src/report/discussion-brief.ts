import type { BriefItem, Failure, Report, StageReport } from '../domain/report.ts';
import { isCandidates } from './complete-checks.ts';
import { checkOf, weakLoadPoints } from './load-points.ts';
import { MAX_SCORE, shownScore } from './score.ts';
import { strongPoints } from './strong-points.ts';
import { failurePoint, type RankedItem, weakCheckPoints } from './weak-points.ts';

const MAX_STRONG = 5;
const MAX_WEAK = 8;

/**
 * What to talk about: the strongest and the weakest evidence, the costliest and most telling first, each weak
 * point with a question. `failure` is what ended the run early on the candidate's side.
 */
export function buildBrief(stages: readonly StageReport[], failure: Failure | undefined): Report['brief'] {
  const counting = stages.filter((stage) => stage.status !== 'inconclusive');
  const weights = counting.reduce((sum, stage) => sum + (stage.score === null ? 0 : stage.weight), 0);
  const weak = counting.flatMap((stage) => weakStagePoints(stage, scorePerPoint(stage, weights), failure));
  const strong = counting.flatMap((stage) => strongPoints(stage, scorePerPoint(stage, weights)));
  if (failure) {
    weak.push(failurePoint(failure, /^(BUILD_|NO_START)/.test(failure.code) ? 'build' : 'start', MAX_SCORE));
  }
  return { strongest: topItems(strong, MAX_STRONG), weakest: topItems(weak, MAX_WEAK) };
}

function weakStagePoints(
  stage: StageReport,
  perPoint: number,
  runFailure: Failure | undefined,
): RankedItem[] {
  if (stage.failure && isCandidates(stage.failure)) {
    // What ended the whole run is told once.
    const own = runFailure ? [] : [failedStagePoint(stage, stage.failure, perPoint)];
    return [...own, ...weakCheckPoints(withoutBlocked(stage), perPoint)];
  }
  if (!stage.load) {
    return weakCheckPoints(stage, perPoint);
  }
  // Checks of thresholds are told by their figures; the others, if any, like all checks.
  const byThreshold = new Set(stage.load.thresholds.map((threshold) => checkOf(stage, threshold)));
  const rest = { ...stage, checks: stage.checks.filter((check) => !byThreshold.has(check)) };
  return [...weakLoadPoints(stage, stage.load, perPoint), ...weakCheckPoints(rest, perPoint)];
}

function failedStagePoint(stage: StageReport, failure: Failure, perPoint: number): RankedItem {
  const blocked = stage.checks.filter((check) => isBlocked(check.message));
  const lost = blocked.reduce((sum, check) => sum + check.maxPoints, 0) * perPoint;
  const point = failurePoint(failure, `stage:${stage.name}`, lost);
  return { ...point, item: { ...point.item, checks: blocked.map((check) => check.id) } };
}

function withoutBlocked(stage: StageReport): StageReport {
  return { ...stage, checks: stage.checks.filter((check) => !isBlocked(check.message)) };
}

function isBlocked(message: string): boolean {
  return message.startsWith('not run: ');
}

/** What one point of a stage's checks is worth in the run's score. */
function scorePerPoint(stage: StageReport, weights: number): number {
  return stage.maxPoints > 0 && weights > 0 ? (MAX_SCORE * stage.weight) / weights / stage.maxPoints : 0;
}

function topItems(points: readonly RankedItem[], count: number): BriefItem[] {
  return points
    .toSorted((a, b) => b.rank - a.rank)
    .slice(0, count)
    .map(({ item }) => ({ ...item, lostScore: shownScore(item.lostScore) }));
}
