import type { Check } from '../domain/grader-protocol.ts';
import type { SkillReport, StageReport } from '../domain/report.ts';
import type { Skill } from '../domain/verdict.ts';
import { isCandidates } from './complete-checks.ts';
import type { RunFacts } from './run-facts.ts';
import { MAX_SCORE, scoreStage, shownScore } from './score.ts';

const SKILLS: readonly { skill: Skill; title: string }[] = [
  { skill: 'api-design', title: 'Low-level API design' },
  { skill: 'engineering', title: 'Programming mindset and quality' },
  { skill: 'ml', title: 'Machine learning' },
];

type Ending = Pick<RunFacts, 'failure' | 'canceled'>;

/**
 * The three skills, each scored by plain points over its measured checks of all stages (stage weights play no
 * part).
 */
export function reportSkills(stages: readonly StageReport[], ending: Ending): SkillReport[] {
  // A service that never ran shows nothing about a skill, not even its lack.
  const nothingShown = ending.failure !== undefined && isCandidates(ending.failure);
  return SKILLS.map(({ skill, title }) => {
    const own = stages.filter((stage) => stage.checks.some((check) => check.skill === skill));
    const counted = own
      .filter((stage) => stage.status !== 'inconclusive' && !nothingShown)
      .flatMap((stage) => stage.checks.filter((check) => check.skill === skill));
    const sums = scoreStage(counted);
    return {
      skill,
      title,
      score: sums.score === null ? null : shownScore(MAX_SCORE * sums.score),
      points: sums.points,
      maxPoints: sums.maxPoints,
      summary: summarize(skill, counted, own, ending),
    };
  });
}

function summarize(
  skill: Skill,
  checks: readonly Check[],
  stages: readonly StageReport[],
  ending: Ending,
): string {
  const measured = checks.filter((check) => check.status === 'passed' || check.status === 'failed');
  if (measured.length === 0) {
    return unmeasuredSentence(skill, stages, ending);
  }
  const passed = measured.filter((check) => check.status === 'passed').length;
  const sentences = [`${passed} of ${measured.length} checks passed.`, ...suiteSentences(measured)];
  const crashes = skill === 'engineering' ? stages.reduce((sum, stage) => sum + stage.crashes, 0) : 0;
  if (crashes > 0) {
    sentences.push(`The service had to be started again ${crashes === 1 ? 'once' : `${crashes} times`}.`);
  }
  return sentences.join(' ');
}

function unmeasuredSentence(skill: Skill, stages: readonly StageReport[], ending: Ending): string {
  if (skill === 'ml' && stages.length === 0) {
    return 'Not part of this challenge.';
  }
  if (ending.failure || ending.canceled) {
    return 'Not measured: the run ended before its checks.';
  }
  return stages.length === 0
    ? 'Not part of this run.'
    : 'Not measured: no check of this skill could be completed.';
}

interface SuiteTally {
  suite: string;
  passed: number;
  measured: number;
}

/** Names what went well and what did not, by suite, in the order of the report. */
function suiteSentences(checks: readonly Check[]): string[] {
  const tallies = new Map<string, SuiteTally>();
  for (const check of checks) {
    const suite = check.suite ?? 'Load';
    const tally = tallies.get(suite) ?? { suite, passed: 0, measured: 0 };
    tally.measured += 1;
    tally.passed += check.status === 'passed' ? 1 : 0;
    tallies.set(suite, tally);
  }
  const all = [...tallies.values()];
  const full = all.filter((tally) => tally.passed === tally.measured);
  const lacking = all
    .filter((tally) => tally.passed < tally.measured)
    .toSorted((a, b) => b.measured - b.passed - (a.measured - a.passed));
  return [
    ...(full.length > 0 ? [`In full: ${list(full.map((tally) => tally.suite))}.`] : []),
    ...(lacking.length > 0
      ? [`Lost in: ${list(lacking.map((tally) => `${tally.suite} (${tally.passed} of ${tally.measured})`))}.`]
      : []),
  ];
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 4);
  return names.length > shown.length
    ? `${shown.join(', ')} and ${names.length - shown.length} more`
    : shown.join(', ');
}
