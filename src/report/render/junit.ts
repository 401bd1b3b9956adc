import { evidenceText } from '../../domain/evidence-text.ts';
import type { Check } from '../../domain/grader-protocol.ts';
import { junitXml } from '../../domain/junit-xml.ts';
import type { JunitCase, JunitSuite } from '../../domain/junit-xml.ts';
import type { Report, StageReport } from '../../domain/report.ts';
import { visibleBlock, visibleLine } from '../text-safety.ts';

/** The report as JUnit XML: a suite of tests per stage and suite, verdict and score as properties. */
export function renderJunit(report: Report): string {
  const { outcome } = report;
  const run: JunitSuite = {
    name: 'outcome',
    cases: outcome.failure
      ? [
          {
            name: outcome.failure.code,
            classname: 'outcome',
            timeMs: 0,
            outcome: outcome.status === 'completed' ? 'failed' : 'errored',
            message: visibleLine(outcome.failure.message),
            detail: visibleBlock(outcome.failure.log ?? ''),
          },
        ]
      : [],
    properties: {
      verdict: outcome.verdict ?? outcome.status,
      score: outcome.score === null ? 'none' : String(outcome.score),
      passScore: String(outcome.passScore),
      run: report.run.id,
      seed: report.run.seed,
      challenge: report.challenge.digest,
      submission: report.submission.digest,
    },
  };
  return junitXml(visibleLine(report.challenge.title), [run, ...report.stages.flatMap(stageSuites)]);
}

function stageSuites(stage: StageReport): JunitSuite[] {
  const names = [...new Set(stage.checks.map((check) => check.suite ?? stage.name))];
  return names.map((name) => ({
    name: `${stage.name}: ${visibleLine(name)}`,
    cases: stage.checks
      .filter((check) => (check.suite ?? stage.name) === name)
      .map((check) => toCase(check, stage)),
  }));
}

function toCase(check: Check, stage: StageReport): JunitCase {
  return {
    name: visibleLine(check.name),
    classname: `${stage.name}.${visibleLine(check.id)}`,
    timeMs: check.durationMs,
    outcome: check.status,
    message: visibleLine(check.message),
    detail: check.evidence ? visibleBlock(evidenceText(check.evidence)) : '',
    properties: { points: `${check.points}/${check.maxPoints}`, skill: check.skill },
  };
}
