import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/domain/grader-protocol.ts';
import { ReportSchema } from '../../../src/domain/report.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import type { PlannedStage, RunFacts } from '../../../src/report/run-facts.ts';
import {
  loadChecks,
  makeCheck,
  makeExchange,
  makeFacts,
  makeFailed,
  makeLoadResult,
  makeStage,
  planCheck,
  planStage,
} from '../../helpers/report-fixtures.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

describe('assembleReport', () => {
  it.each(Object.entries(SAMPLE_RUNS))(
    '%s: fits the schema, is deterministic and free of what stores refuse',
    (_, makeRun) => {
      const report = assembleReport(makeRun());
      const text = JSON.stringify(report);

      expect(ReportSchema.parse(report)).toEqual(report);
      expect(JSON.stringify(assembleReport(makeRun()))).toBe(text);
      expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i);
    },
  );

  it.each([
    ['passedRun', 'passed'],
    ['partialRun', 'partial'],
    ['buildFailureRun', 'failed'],
    ['neverReadyRun', 'failed'],
    ['inconclusiveRun', 'inconclusive'],
    ['erroredRun', null],
  ] as const)('%s is %s', (name, verdict) => {
    expect(assembleReport(SAMPLE_RUNS[name]()).outcome.verdict).toBe(verdict);
  });

  it('never shows our own fault or a cancelled run as a score or a verdict', () => {
    const errored = assembleReport(SAMPLE_RUNS.erroredRun()).outcome;
    const canceled = assembleReport({ ...SAMPLE_RUNS.partialRun(), canceled: true }).outcome;

    expect(errored).toMatchObject({ status: 'errored', verdict: null, score: null });
    expect(errored.summary).toContain('through no fault of the candidate');
    expect(canceled).toMatchObject({ status: 'canceled', verdict: null, score: null });
  });

  it('fails checks that the candidate blocked and leaves out those that we lost', () => {
    const known = makeCheck('A', 'reported');
    const lost = makeCheck('A', 'lost', { maxPoints: 5 });
    const planned = [{ name: 'api', weight: 1, checks: [known, lost].map(planCheck) }];
    const blocked = assembleReport(endedBy('candidate', planned, known)).stages[0];
    const ours = assembleReport(endedBy('infra', planned, known)).stages[0];

    expect(blocked).toMatchObject({ status: 'failed', points: 2, maxPoints: 7, unmeasuredPoints: 0 });
    expect(blocked?.checks[1]).toMatchObject({ status: 'failed', points: 0, message: 'not run: It broke.' });
    expect(ours).toMatchObject({ status: 'errored', points: 2, maxPoints: 2, unmeasuredPoints: 5 });
    expect(ours?.checks[1]?.status).toBe('errored');
  });

  it('leaves an inconclusive stage out of the score and says so', () => {
    const report = assembleReport(SAMPLE_RUNS.inconclusiveRun());
    const load = report.stages[1];

    expect(load).toMatchObject({
      status: 'inconclusive',
      score: null,
      points: 0,
      maxPoints: 0,
      unmeasuredPoints: 20,
    });
    expect(report.outcome.score).toBeCloseTo(73.9, 5);
    expect(report.outcome.scoreRange).toEqual({ worst: 51.7, best: 81.7 });
    expect(report.outcome.remarks.join(' ')).toContain('Stage load is left out of the score');
  });

  it('treats a planned stage that nobody ran as ours', () => {
    const api = makeStage('api', [
      makeCheck('A', 'x'),
      makeCheck('A', 'y', { status: 'failed', maxPoints: 1 }),
    ]);
    const load = makeStage('load', loadChecks(makeLoadResult(30)));
    const report = assembleReport(makeFacts([api], { planned: [planStage(api, 70), planStage(load, 30)] }));

    expect(report.stages[1]).toMatchObject({ status: 'errored', score: null });
    expect(report.outcome.verdict).toBe('inconclusive');
    expect(report.outcome.remarks.join(' ')).toContain('Stage load could not be completed, which is ours');
  });

  it('keeps the last report of a check that came twice', () => {
    const first = makeCheck('A', 'x', { status: 'failed' });
    const stage = makeStage('api', [first, { ...first, status: 'passed', points: 2 }]);
    const planned = [{ name: 'api', weight: 1, checks: [planCheck(first)] }];
    const report = assembleReport(makeFacts([stage], { planned }));

    expect(report.stages[0]?.checks.map((check) => check.status)).toEqual(['passed']);
  });

  it('caps logs with a marker and evidence with the failed checks first', () => {
    const big = 'x'.repeat(400_000);
    const exchange = makeExchange('GET', '/', big, { status: 500 });
    const checks = Array.from({ length: 8 }, (_, index) =>
      makeFailed('A', `c${index}`, exchange, { message: 'expected status 200, got 500' }),
    );
    const passed = makeCheck('A', 'fine', { evidence: { exchanges: [exchange] } });
    const report = assembleReport(
      makeFacts([makeStage('api', [passed, ...checks])], {
        build: { cached: false, durationMs: 1, log: big, truncated: false },
      }),
    );

    expect(report.build?.truncated).toBe(true);
    expect(report.build?.log).toMatch(/truncated: \d+ characters left out/);
    expect(report.build?.log.length).toBeLessThan(140_000);
    expect(report.stages[0]?.checks[0]?.evidence).toBeUndefined();
    expect(report.stages[0]?.checks[1]?.evidence).toBeDefined();
    expect(JSON.stringify(report).length).toBeLessThan(8 * 1024 * 1024);
  });
});

function endedBy(blame: 'candidate' | 'infra', planned: PlannedStage[], known: Check): RunFacts {
  const failure = { code: 'X', blame, message: 'It broke.' };
  return makeFacts([makeStage('api', [known], { failure })], { planned });
}

describe('skills', () => {
  it('are scored by points, and ML is not part of a service challenge', () => {
    const [api, engineering, ml] = assembleReport(SAMPLE_RUNS.partialRun()).skills;

    expect(api).toMatchObject({ skill: 'api-design', score: 57.1 });
    expect(api?.summary).toContain('7 of 12 checks passed');
    expect(api?.summary).toContain('Validation (0 of 4)');
    expect(engineering?.summary).toContain('started again once');
    expect(ml).toMatchObject({ score: null, summary: 'Not part of this challenge.' });
  });

  it('are not judged by a service that never ran', () => {
    const { skills } = assembleReport(SAMPLE_RUNS.neverReadyRun());

    expect(skills.map((skill) => skill.score)).toEqual([null, null, null]);
    expect(skills[0]?.summary).toContain('Not measured');
  });
});
