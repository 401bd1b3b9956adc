import type { Report, StageReport } from '../domain/report.ts';
import type { RunFacts } from './run-facts.ts';

type Outcome = Omit<Report['outcome'], 'summary'>;

/** The one sentence under the verdict. */
export function summarizeOutcome(outcome: Outcome, stages: readonly StageReport[]): string {
  if (outcome.status === 'canceled') {
    return 'The run was canceled before it was complete, so there is no verdict.';
  }
  if (outcome.status === 'errored') {
    return `The run could not be completed, through no fault of the candidate: ${outcome.failure?.message ?? ''}`.trim();
  }
  if (outcome.failure) {
    return outcome.failure.message;
  }
  const checks = countChecks(stages);
  if (outcome.score === null) {
    return 'Nothing could be measured, so there is no score.';
  }
  if (outcome.verdict === 'inconclusive') {
    return sentenceOfRange(outcome, outcome.score);
  }
  if (outcome.verdict === 'failed') {
    return checks.measured === 1
      ? 'The one check of this run did not pass.'
      : `None of the ${checks.measured} checks passed.`;
  }
  const side = outcome.verdict === 'passed' ? 'reaches' : 'is below';
  const counted = `${checks.passed} of ${checks.measured} checks passed`;
  return `${counted}; the score of ${outcome.score} ${side} the pass mark of ${outcome.passScore}.`;
}

function sentenceOfRange(outcome: Outcome, score: number): string {
  const range = outcome.scoreRange;
  const span = range ? `from ${range.worst} to ${range.best}` : 'elsewhere';
  return (
    `What could be measured scores ${score}. With what could not, it could be anything ${span}, ` +
    `and the verdict with it (the pass mark is ${outcome.passScore}).`
  );
}

/** What a reader must know about how the score came about: what was left out, and why. */
export function collectRemarks(facts: RunFacts, stages: readonly StageReport[]): string[] {
  const remarks = [...facts.remarks];
  if (facts.run.visibleOnly) {
    remarks.push('Only the suites that a candidate may see ran; the hidden ones did not.');
  }
  for (const stage of stages) {
    remarks.push(...stageRemarks(stage));
  }
  if (facts.service?.logThrottled) {
    remarks.push(
      'The service printed so much that its output had to be slowed down, and the service with it.',
    );
  }
  return remarks;
}

function stageRemarks(stage: StageReport): string[] {
  if (stage.status === 'inconclusive') {
    return [`Stage ${stage.name} is left out of the score: ${stage.inconclusive ?? 'it was inconclusive'}`];
  }
  if (stage.status === 'errored') {
    const reason = stage.failure?.message ?? 'no result came from its grader.';
    const whose = stage.failure?.blame === 'spec' ? 'a mistake in the challenge' : 'ours';
    return [
      `Stage ${stage.name} could not be completed, which is ${whose}: ${reason} What it did measure counts.`,
    ];
  }
  const errored = stage.checks.filter((check) => check.status === 'errored').map((check) => check.id);
  if (errored.length === 0) {
    return [];
  }
  const named = errored.slice(0, 5).join(', ') + (errored.length > 5 ? ', …' : '');
  const subject = errored.length === 1 ? 'One check' : `${errored.length} checks`;
  return [`${subject} of stage ${stage.name} went wrong on our side and left the score: ${named}.`];
}

/** Passed, and passed or failed, over stages that count. */
export function countChecks(stages: readonly StageReport[]): { passed: number; measured: number } {
  const checks = stages
    .filter((stage) => stage.status !== 'inconclusive')
    .flatMap((stage) => stage.checks)
    .filter((check) => check.status === 'passed' || check.status === 'failed');
  return { passed: checks.filter((check) => check.status === 'passed').length, measured: checks.length };
}
