import type { Expectation } from '../domain/challenge.ts';
import type { Report } from '../domain/report.ts';
import type { PlannedStage } from '../report/run-facts.ts';

/**
 * Where a report differs from what a sample submission's expect.yaml says, one sentence each; empty when it is as
 * expected. Checks named in `mayLose` may come out either way. When the run was to end before its checks, only
 * the verdict and the failure count.
 */
export function compareExpectation(report: Report, expectation: Expectation): string[] {
  const { outcome } = report;
  const differences: string[] = [];
  if (outcome.verdict !== expectation.verdict) {
    differences.push(`the verdict is ${outcome.verdict ?? outcome.status}, expected ${expectation.verdict}`);
  }
  if (outcome.failure?.code !== expectation.failure) {
    const found = outcome.failure ? `${outcome.failure.code} (${outcome.failure.message})` : 'none';
    differences.push(`the run's failure is ${found}, expected ${expectation.failure ?? 'none'}`);
  }
  if (expectation.failure !== undefined) {
    return differences;
  }
  const checks = report.stages.flatMap((stage) => stage.checks);
  // One that errored is ours: it proves nothing about the sample, and is never what its author meant.
  const lost = new Map(checks.filter((check) => check.status === 'failed').map((check) => [check.id, check]));
  const errored = checks.filter((check) => check.status === 'errored');
  differences.push(...errored.map((check) => `"${check.id}" could not be measured: ${check.message}`));
  const wanted = new Set(expectation.loses);
  const tolerated = new Set(expectation.mayLose);
  for (const [id, check] of lost) {
    if (!wanted.has(id) && !tolerated.has(id)) {
      differences.push(`"${id}" is ${check.status} and was expected to pass: ${check.message}`);
    }
  }
  const ran = new Set(checks.map((check) => check.id));
  for (const id of wanted) {
    if (!lost.has(id)) {
      differences.push(`"${id}" ${ran.has(id) ? 'passed' : 'did not run'} and was expected to fail`);
    }
  }
  return differences;
}

/**
 * What an expectation says about a run of some stages only: of the checks, those of these stages; of the verdict,
 * nothing, unless the run was to end before any check.
 */
export function narrowExpectation(
  expectation: Expectation,
  stages: readonly Pick<PlannedStage, 'checks'>[],
  report: Report,
): Expectation {
  const ids = new Set(stages.flatMap((stage) => stage.checks.map((check) => check.id)));
  return {
    ...expectation,
    verdict:
      expectation.failure === undefined
        ? (report.outcome.verdict ?? expectation.verdict)
        : expectation.verdict,
    loses: expectation.loses.filter((id) => ids.has(id)),
    mayLose: expectation.mayLose.filter((id) => ids.has(id)),
  };
}
