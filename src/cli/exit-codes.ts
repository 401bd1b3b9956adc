import type { Report } from '../domain/report.ts';

/** Exit codes of `assay grade`, as documented in the README. */
export const EXIT = { passed: 0, notPassed: 1, refused: 2, ours: 3, interrupted: 130 } as const;

/** The exit code that a report stands for. */
export function exitCodeOf(report: Report): number {
  if (report.outcome.status === 'canceled') {
    return EXIT.interrupted;
  }
  if (report.outcome.verdict !== 'passed' && report.stages.some(({ failure }) => failure?.blame === 'spec')) {
    return EXIT.refused;
  }
  if (report.outcome.status === 'errored' || report.outcome.verdict === 'inconclusive') {
    return EXIT.ours;
  }
  return report.outcome.verdict === 'passed' ? EXIT.passed : EXIT.notPassed;
}
