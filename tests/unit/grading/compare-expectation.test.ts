import { expect, it } from 'vitest';
import type { Check } from '../../../src/domain/grader-protocol.ts';
import type { Report } from '../../../src/domain/report.ts';
import { compareExpectation } from '../../../src/grading/compare-expectation.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

const EXPECTATION = { verdict: 'passed', loses: [], mayLose: [] } as const;

/** A report of one stage whose checks have the given states. */
function reportWith(
  states: Record<string, Check['status']>,
  verdict: 'passed' | 'partial' = 'passed',
): Report {
  const [makeFacts] = Object.values(SAMPLE_RUNS);
  if (makeFacts === undefined) {
    throw new Error('there is no sample run');
  }
  const report = assembleReport(makeFacts());
  const [stage] = report.stages;
  const [check] = stage?.checks ?? [];
  if (!stage || !check) {
    throw new Error('the sample run has no check');
  }
  const checks = Object.entries(states).map(([id, status]) => ({ ...check, id, status }));
  const { failure: _none, ...outcome } = report.outcome;
  return { ...report, outcome: { ...outcome, verdict }, stages: [{ ...stage, checks }] };
}

it.each([
  ['what was to pass failed', { a: 'failed' }, {}, '"a" is failed'],
  ['what was to fail passed', { a: 'passed' }, { loses: ['a'] }, '"a" passed'],
  ['what was to fail did not run', {}, { loses: ['a'] }, '"a" did not run'],
  ['what was to fail could not be measured', { a: 'errored' }, { loses: ['a'] }, '"a" could not be measured'],
  ['the verdict is another', { a: 'passed' }, { verdict: 'failed' }, 'expected failed'],
  ['the run was to end early', { a: 'passed' }, { failure: 'NOT_READY' }, 'expected NOT_READY'],
] as const)('tells when %s', (_what, states, expectation, words) => {
  const wanted = {
    ...EXPECTATION,
    ...expectation,
    loses: [...('loses' in expectation ? expectation.loses : [])],
    mayLose: [],
  };

  expect(compareExpectation(reportWith(states), wanted).join('\n')).toContain(words);
});

it('lets checks in mayLose come out either way', () => {
  const wanted = { ...EXPECTATION, loses: ['b'], mayLose: ['a'] };

  expect(compareExpectation(reportWith({ a: 'failed', b: 'failed' }), wanted)).toEqual([]);
  expect(compareExpectation(reportWith({ a: 'passed', b: 'failed' }), wanted)).toEqual([]);
});
