import type { Check } from '../domain/grader-protocol.ts';
import type { BriefItem, LoadResult, StageReport } from '../domain/report.ts';
import { counted } from './figures.ts';
import { checkOf, describeThreshold, taskOf } from './load-points.ts';
import { isQueueing } from './load-words.ts';
import type { RankedItem } from './weak-points.ts';

/** Strong points of a stage: suites that passed in full, and load thresholds that were all met. */
export function strongPoints(stage: StageReport, scorePerPoint: number): RankedItem[] {
  if (stage.load) {
    return strongLoadPoint(stage, stage.load, scorePerPoint);
  }
  const suites = new Map<string, Check[]>();
  for (const check of stage.checks) {
    const suite = check.suite ?? stage.name;
    suites.set(suite, [...(suites.get(suite) ?? []), check]);
  }
  return [...suites].flatMap(([suite, checks]) => strongSuite(suite, checks, scorePerPoint));
}

function strongSuite(suite: string, checks: readonly Check[], scorePerPoint: number): RankedItem[] {
  const graded = checks.filter((check) => check.status !== 'skipped');
  const hardest = graded.toSorted((a, b) => b.maxPoints - a.maxPoints).slice(0, 2);
  const shown = hardest[0];
  if (!shown || graded.some((check) => check.status !== 'passed')) {
    return [];
  }
  const points = graded.reduce((sum, check) => sum + check.points, 0);
  const named = hardest.map((check) => `"${check.name}"`).join(' and ');
  const all =
    graded.length <= 2
      ? `${graded.length === 1 ? 'Its one check' : 'Both checks'} passed: ${named}.`
      : `All ${counted(graded.length, 'check')} passed, among them ${named}.`;
  return [
    {
      item: strongItem(shown, graded, `${suite}: everything asked for works`, all),
      rank: points * scorePerPoint * (1 + shown.maxPoints / 100),
    },
  ];
}

function strongLoadPoint(stage: StageReport, load: LoadResult, scorePerPoint: number): RankedItem[] {
  const met = load.thresholds.filter((threshold) => threshold.ok);
  const first = met[0];
  const shown = first && checkOf(stage, first);
  if (!first || !shown || met.length < load.thresholds.length || stage.status !== 'completed') {
    return [];
  }
  const rate = `at ${Math.round(load.total.requestsPerSecond)} requests per second overall`;
  const task = taskOf(first, load);
  const steady =
    task.latency && task.serviceTime && !isQueueing(task.latency, task.serviceTime)
      ? ' What users waited is what the service took: no queueing.'
      : '';
  const detail = `${met.map(describeThreshold).join('; ')}, ${rate}.${steady}`;
  const headline = met.length === 1 ? 'Load: the limit was kept' : 'Load: all limits were kept';
  const checks = met.map((threshold) => checkOf(stage, threshold)).filter((check) => check !== undefined);
  return [{ item: strongItem(shown, checks, headline, detail), rank: stage.points * scorePerPoint }];
}

function strongItem(shown: Check, checks: readonly Check[], headline: string, detail: string): BriefItem {
  return {
    ref: `check:${shown.id}`,
    checks: checks.map((check) => check.id),
    lostScore: 0,
    skill: shown.skill,
    headline,
    detail,
  };
}
