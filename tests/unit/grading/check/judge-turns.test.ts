import { describe, expect, it } from 'vitest';
import type { Check } from '../../../../src/domain/grader-protocol.ts';
import type { Report } from '../../../../src/domain/report.ts';
import { judgeTurns } from '../../../../src/grading/check/judge-turns.ts';
import { refusalsOf } from '../../../../src/grading/check/refusals.ts';
import { planTurns } from '../../../../src/grading/check/sample-gradings.ts';
import type { TurnOutcome } from '../../../../src/grading/check/sample-gradings.ts';

function sampleOf(name: string, loses: string[] = []): TurnOutcome['sample'] {
  const expectation = { verdict: 'passed' as const, loses, mayLose: [] };
  return { name, directory: name, reference: name.startsWith('reference'), expectation };
}

function reportOf(statuses: Record<string, Check['status']>): Report {
  const checks = Object.entries(statuses).map(([id, status]) => ({
    id,
    status,
    message: status === 'passed' ? '' : `wrong: ${id}`,
  }));
  const full = checks.every((check) => check.status === 'passed');
  const outcome = { status: 'completed', verdict: 'passed', score: full ? 100 : 50, maxScore: 100 };
  return { outcome, stages: [{ name: 'api', checks }] } as unknown as Report;
}

function turnOf(
  sample: TurnOutcome['sample'],
  statuses: Record<string, Check['status']>,
  differences: string[] = [],
): TurnOutcome {
  return { sample, stages: ['api'], turn: 1, report: reportOf(statuses), differences };
}

const reference = sampleOf('reference-a');
const inFull = turnOf(reference, { one: 'passed', two: 'passed' });

describe('planTurns', () => {
  it('repeats references by stage and grades every other sample once', () => {
    const turns = planTurns([reference, sampleOf('broken-a', ['one'])], ['api', 'load'], { api: 4, load: 2 });

    expect(turns.map(({ sample, stages }) => [sample.name, stages.join()])).toEqual([
      ['reference-a', 'api,load'],
      ['reference-a', 'api,load'],
      ['reference-a', 'api'],
      ['reference-a', 'api'],
      ['broken-a', 'api,load'],
    ]);
  });
});

describe('judgeTurns', () => {
  it('tells a check that fails now and then from one that always fails', () => {
    const found = judgeTurns(
      [
        turnOf(reference, { one: 'passed', two: 'failed' }),
        turnOf(reference, { one: 'failed', two: 'failed' }),
        turnOf(reference, { one: 'passed', two: 'failed' }),
      ],
      ['one', 'two'],
    );

    expect(found.flaky).toEqual([
      { check: 'one', reference: 'reference-a', failed: 1, runs: 3, message: 'wrong: one' },
    ]);
    expect(found.references[0]).toMatchObject({ ok: false, runs: 3, inFull: 0 });
    expect(found.references[0]?.problems).toEqual(['"two" fails every time: wrong: two']);
    expect(refusalsOf(found)).toHaveLength(2);
  });

  it('shows which broken submission loses which check, and what none loses', () => {
    const broken = turnOf(sampleOf('broken-a', ['one']), { one: 'failed', two: 'passed' });
    const found = judgeTurns([inFull, broken], ['one', 'two']);

    expect(found.coverage).toEqual([
      { check: 'one', exercisedBy: ['broken-a'] },
      { check: 'two', exercisedBy: [] },
    ]);
    expect(found.unexercised).toEqual(['two']);
    expect(refusalsOf(found)).toEqual([]);
  });

  it('does not count a submission that never started as exercising anything', () => {
    const dead = turnOf(sampleOf('broken-a', ['one']), { one: 'failed', two: 'failed' });
    Object.assign(dead.report?.outcome ?? {}, { failure: { code: 'NOT_READY' } });

    expect(judgeTurns([inFull, dead], ['one', 'two']).unexercised).toEqual(['one', 'two']);
  });

  it('refuses a broken submission that differs from its expectation', () => {
    const broken = turnOf(sampleOf('broken-a', ['one']), { one: 'failed', two: 'failed' }, [
      '"two" is failed',
    ]);

    expect(refusalsOf(judgeTurns([inFull, broken], ['one', 'two']))).toEqual([
      'broken-a did not come out as its expect.yaml says: "two" is failed.',
    ]);
  });

  it('blames nobody for what could not be measured', () => {
    const unmeasured = turnOf(reference, { one: 'passed', two: 'errored' });
    const broken = turnOf(sampleOf('broken-a', ['one']), { one: 'failed', two: 'errored' }, ['"two" …']);
    const found = judgeTurns([inFull, unmeasured, broken], ['one', 'two']);

    expect(refusalsOf(found)).toEqual([]);
    expect(found.trouble).toEqual([
      'reference-a could not be measured in full: "two": wrong: two',
      'broken-a could not be measured in full: "two": wrong: two',
    ]);
  });

  it('refuses a challenge without a reference', () => {
    expect(refusalsOf(judgeTurns([], ['one']))[0]).toMatch(/^There is no reference/);
  });
});
