import type { CheckReport, FlakyCheck, ReferenceResult, SampleResult } from '../../domain/check-report.ts';
import type { Check } from '../../domain/grader-protocol.ts';
import type { TurnOutcome } from './sample-gradings.ts';

/** What the gradings of the samples say about the challenge. */
export type SampleFindings = Pick<
  CheckReport,
  'references' | 'broken' | 'sound' | 'flaky' | 'coverage' | 'unexercised' | 'trouble'
>;

/** Judges all gradings together. Pure. `checkIds` are the checks of the stages that ran, in order. */
export function judgeTurns(outcomes: readonly TurnOutcome[], checkIds: readonly string[]): SampleFindings {
  const names = [...new Set(outcomes.map((outcome) => outcome.sample.name))];
  const references: ReferenceResult[] = [];
  const flaky: FlakyCheck[] = [];
  const broken: SampleResult[] = [];
  const sound: SampleResult[] = [];
  for (const name of names) {
    const turns = outcomes.filter((outcome) => outcome.sample.name === name);
    const [first] = turns;
    if (first?.sample.reference) {
      const found = judgeReference(name, turns);
      references.push(found.result);
      flaky.push(...found.flaky);
    } else if (first) {
      const { loses, failure } = first.sample.expectation;
      (loses.length === 0 && failure === undefined ? sound : broken).push(judgeSample(first));
    }
  }
  const coverage = checkIds.map((check) => ({
    check,
    exercisedBy: broken.filter((sample) => sample.lost.includes(check)).map((sample) => sample.name),
  }));
  return {
    references,
    broken,
    sound,
    flaky,
    coverage,
    unexercised: coverage.filter((row) => row.exercisedBy.length === 0).map((row) => row.check),
    trouble: [...new Set(outcomes.flatMap(troubleOf))],
  };
}

/** A check that fails in some of the runs that reached it is flaky; one that fails in all of them is wrong. */
function judgeReference(
  name: string,
  turns: readonly TurnOutcome[],
): { result: ReferenceResult; flaky: FlakyCheck[] } {
  const seen = new Map<string, { runs: number; failures: Check[] }>();
  for (const check of turns.flatMap(checksOf)) {
    const entry = seen.get(check.id) ?? { runs: 0, failures: [] };
    entry.runs += check.status === 'passed' || check.status === 'failed' ? 1 : 0;
    entry.failures.push(...(check.status === 'failed' ? [check] : []));
    seen.set(check.id, entry);
  }
  const problems = turns.filter((turn) => checksOf(turn).length === 0).flatMap((turn) => turn.differences);
  const flaky: FlakyCheck[] = [];
  for (const [id, { runs, failures }] of seen) {
    const [failure] = failures;
    if (failure && failures.length === runs) {
      problems.push(`"${id}" fails every time: ${failure.message}`);
    } else if (failure) {
      const { message, evidence } = failure;
      const example = evidence ? { message, evidence } : { message };
      flaky.push({ check: id, reference: name, failed: failures.length, runs, ...example });
    }
  }
  const measured = turns.filter((turn) => troubleOf(turn).length === 0);
  const inFull = measured.filter(scoredInFull).length;
  const result = {
    name,
    ok: inFull === measured.length,
    runs: turns.length,
    inFull,
    measured: measured.length === turns.length,
  };
  return { result: { ...result, problems: [...new Set(problems)] }, flaky };
}

function judgeSample(turn: TurnOutcome): SampleResult {
  return {
    name: turn.sample.name,
    ok: turn.differences.length === 0,
    measured: troubleOf(turn).length === 0,
    lost: lostBy(turn),
    differences: turn.differences,
  };
}

/** A sample that does not even start loses every check, and exercises none. */
function lostBy(turn: TurnOutcome): string[] {
  return turn.report?.outcome.failure === undefined
    ? checksOf(turn)
        .filter((check) => check.status === 'failed')
        .map((check) => check.id)
    : [];
}

function scoredInFull({ report }: TurnOutcome): boolean {
  return report?.outcome.verdict === 'passed' && report.outcome.score === report.outcome.maxScore;
}

function checksOf({ report }: TurnOutcome): Check[] {
  return report?.stages.flatMap((stage) => stage.checks) ?? [];
}

/** What was ours in a grading: it proves nothing about the challenge. */
function troubleOf({ sample, report }: TurnOutcome): string[] {
  if (!report) {
    return [];
  }
  const { status, verdict, failure } = report.outcome;
  if (status === 'errored') {
    return [`${sample.name} could not be graded: ${failure?.message ?? report.outcome.summary}`];
  }
  const unmeasured = report.stages.flatMap((stage) => [
    ...(stage.failure?.blame === 'infra' ? [`${stage.name}: ${stage.failure.message}`] : []),
    ...(stage.inconclusive === undefined ? [] : [`${stage.name}: ${stage.inconclusive}`]),
    ...stage.checks
      .filter((check) => check.status === 'errored')
      .map((check) => `"${check.id}": ${check.message}`),
  ]);
  if (unmeasured.length === 0 && verdict === 'inconclusive') {
    return [`${sample.name} came out inconclusive: ${report.outcome.summary}`];
  }
  return unmeasured.map((text) => `${sample.name} could not be measured in full: ${text}`);
}
