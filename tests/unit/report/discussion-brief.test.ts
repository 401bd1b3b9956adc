import { describe, expect, it } from 'vitest';
import type { BriefItem, Report } from '../../../src/domain/report.ts';
import { assembleReport } from '../../../src/report/assemble.ts';
import {
  loadChecks,
  makeCheck,
  makeExchange,
  makeFacts,
  makeFailed,
  makeLoadResult,
  makeLoadTask,
  makeStage,
} from '../../helpers/report-fixtures.ts';
import { SAMPLE_RUNS } from '../../helpers/report-samples.ts';

function weakPoint(report: Report, words: string): BriefItem {
  const found = report.brief.weakest.find((item) => item.headline.includes(words));
  expect(found, `no weak point about ${words}`).toBeDefined();
  return found as BriefItem;
}

describe('weak points', () => {
  const report = assembleReport(SAMPLE_RUNS.partialRun());

  it('ask about the exact exchange that failed', () => {
    const { question, evidence } = weakPoint(report, 'server error');

    expect(question).toContain('answered 500 to POST /links with a body of `{"url":`');
    expect(question).toContain('malformed JSON');
    expect(evidence?.exchanges?.[0]?.request.body).toBe('{"url":');
  });

  it('group failures of one suite with one symptom, and keep different symptoms apart', () => {
    const serverErrors = weakPoint(report, 'server error');

    expect(serverErrors.checks).toHaveLength(2);
    expect(serverErrors.detail).toContain('"an empty body is 400"');
    expect(weakPoint(report, 'should be refused').checks).toHaveLength(1);
    expect(weakPoint(report, 'service ended').question).toContain('exited with code 1');
  });

  it('tell figure, limit, place in time and queueing for load', () => {
    const { question, detail, checks } = weakPoint(report, 'slower under load');

    expect(question).toContain('p95(follow) was 412 ms, the limit is 100 ms');
    expect(question).toMatch(/first passed that at \d+ s, in the phase "400\/s"/);
    expect(question).toContain('queueing');
    expect(detail).toContain('p99(follow) was 688 ms');
    expect(checks).toHaveLength(2);
    expect(weakPoint(report, 'more failed requests').question).toContain(
      '190 times, was `timed out after 10 s`',
    );
  });

  it('ask why every answer was wrong under load, not what made it slow', () => {
    const errors = [{ message: 'expected status 302, got 301', count: 358 }];
    const threshold = {
      that: 'p95(follow) < 100ms',
      ok: false,
      actual: null,
      limit: 100,
      unit: 'ms',
    } as const;
    const load = makeLoadResult(40, {
      tasks: [makeLoadTask('follow', { failures: 358, errors })],
      thresholds: [threshold],
    });
    const { brief } = assembleReport(makeFacts([makeStage('load', loadChecks(load), { load })]));
    const [first] = brief.weakest;

    expect(first?.headline).toContain('no request succeeded');
    expect(first?.question).toContain(
      '358 times, was `expected status 302, got 301`. Does the service answer so',
    );
  });

  it('come in the order of what they cost, at most eight', () => {
    const suites = Array.from({ length: 12 }, (_, index) =>
      makeCheck(`Suite ${index}`, `check ${index}`, { status: 'failed', maxPoints: index + 1 }),
    );
    const { weakest } = assembleReport(makeFacts([makeStage('api', suites)])).brief;

    expect(weakest).toHaveLength(8);
    expect(weakest[0]?.headline).toContain('Suite 11');
    expect(weakest.map((item) => item.lostScore)).toEqual(
      weakest.map((item) => item.lostScore).toSorted((a, b) => b - a),
    );
  });

  it('add up to what was lost', () => {
    const lost = report.brief.weakest.reduce((sum, item) => sum + item.lostScore, 0);

    expect(lost).toBeGreaterThan(100 - 49.9 - 1);
    expect(lost).toBeLessThanOrEqual(100 - 49.9 + 0.1);
  });

  it('put a more telling symptom first among equals', () => {
    const { weakest } = assembleReport(
      makeFacts([
        makeStage('api', [
          makeFailed('Words', 'a', makeExchange('GET', '/a', undefined, { status: 400 }), {
            message: 'expected status 422, got 400',
            at: 'steps[0].expect.status',
            expected: '422',
          }),
          makeFailed('Crash', 'b', makeExchange('GET', '/b', undefined, { error: 'reset' }), {
            message: 'reset; the service exited with code 1',
          }),
        ]),
      ]),
    ).brief;

    expect(weakest[0]?.headline).toContain('Crash');
  });

  it('tell a crash that no failed check speaks of', () => {
    const stage = makeStage('api', [makeCheck('A', 'x')], { crashes: 2 });

    expect(assembleReport(makeFacts([stage])).brief.weakest[0]).toMatchObject({
      ref: 'stage:api',
      lostScore: 0,
    });
  });

  it.each([
    ['buildFailureRun', 'build', 'in sync'],
    ['neverReadyRun', 'start', 'localhost:3000'],
  ] as const)('%s: one point about what ended the run, with the last line of the log', (name, ref, words) => {
    const { weakest } = assembleReport(SAMPLE_RUNS[name]()).brief;

    expect(weakest).toHaveLength(1);
    expect(weakest[0]?.ref).toBe(ref);
    expect(weakest[0]?.question).toContain(words);
  });

  it('say nothing about a stage that could not be measured', () => {
    const { weakest, strongest } = assembleReport(SAMPLE_RUNS.inconclusiveRun()).brief;

    expect([...weakest, ...strongest].filter((item) => item.headline.startsWith('Load'))).toEqual([]);
  });

  it('ask questions, and accuse nobody', () => {
    for (const name of ['partialRun', 'buildFailureRun', 'neverReadyRun', 'inconclusiveRun'] as const) {
      for (const item of assembleReport(SAMPLE_RUNS[name]()).brief.weakest) {
        expect(item.question).toMatch(/\?$/);
        expect(item.question).not.toMatch(
          /\b(wrong|bad|mistake|fault|forgot|should have|failed to|why didn't)\b/i,
        );
      }
    }
  });
});

describe('strong points', () => {
  it('name suites that passed in full, at most five, with the hardest checks', () => {
    const { strongest } = assembleReport(SAMPLE_RUNS.passedRun()).brief;

    expect(strongest).toHaveLength(5);
    expect(strongest.some((item) => item.detail.includes('50 creations at once never collide'))).toBe(true);
    expect(strongest[0]).toMatchObject({ headline: 'Load: all limits were kept', lostScore: 0 });
    expect(strongest.every((item) => item.question === undefined)).toBe(true);
  });

  it('are not claimed for a suite or a load test that lost something', () => {
    const { strongest } = assembleReport(SAMPLE_RUNS.partialRun()).brief;

    expect(strongest.map((item) => item.headline).join()).not.toMatch(/Validation|Persistence|Load/);
  });

  it('need no load result to be told of a stage without one', () => {
    const load = makeLoadResult(30);
    const { strongest } = assembleReport(makeFacts([makeStage('load', loadChecks(load))])).brief;

    expect(strongest).toHaveLength(1);
  });
});

describe('failures that span suites', () => {
  it('are one point when the same answer came in three suites or more', () => {
    const refused = ['Aliases', 'Expiry', 'Restarts', 'Many at once'].map((suite) =>
      makeFailed(
        suite,
        `${suite} with an alias`,
        makeExchange('POST', '/links', '{"alias":"a"}', { status: 422 }),
        {
          message: 'expected status 201, got 422',
          at: 'steps[0].expect.status',
          expected: '201',
        },
      ),
    );
    const other = makeFailed(
      'Aliases',
      'a taken alias',
      makeExchange('POST', '/links', '{}', { status: 200 }),
      {
        message: 'expected status 409, got 200',
        at: 'steps[1].expect.status',
        expected: '409',
      },
    );
    const { weakest } = assembleReport(makeFacts([makeStage('api', [...refused, other])])).brief;

    expect(weakest).toHaveLength(2);
    expect(weakest[0]?.headline).toBe('Across 4 suites: requests were refused that should work');
    expect(weakest[0]?.checks).toHaveLength(4);
    // The theme of one of the suites (restarts) is not the theme of the whole.
    expect(weakest[0]?.question).toContain('Which rule refused it');
  });

  it('stay apart in two suites, and with another status', () => {
    const checks = [
      ['A', 201, 422],
      ['B', 201, 422],
      ['C', 201, 400],
    ].map(([suite, expected, status]) =>
      makeFailed(`${suite}`, 'x', makeExchange('POST', '/links', '{}', { status: Number(status) }), {
        message: `expected status ${expected}, got ${status}`,
        at: 'steps[0].expect.status',
        expected: `${expected}`,
      }),
    );

    expect(assembleReport(makeFacts([makeStage('api', checks)])).brief.weakest).toHaveLength(3);
  });

  it('that were never run are one point', () => {
    const checks = ['A', 'B'].map((suite) =>
      makeCheck(suite, 'x', { status: 'failed', message: 'not run: the service is down' }),
    );
    const { weakest } = assembleReport(makeFacts([makeStage('api', checks)])).brief;

    expect(weakest.map((item) => item.headline)).toEqual(['Across 2 suites: could not be run']);
  });
});

it('shows both passes of a check that held only the first time, and asks what tells them apart', () => {
  const [first, second] = ['first', 'second'].map((pass) => ({
    ...makeExchange('GET', '/links/a', undefined, { status: pass === 'first' ? 200 : 404 }),
    label: `${pass} pass: GET /links/a`,
  }));
  const check = makeCheck('Links', 'finds a link', {
    status: 'failed',
    message:
      'held at first, but not again with other data, order and default headers: expected status 200, got 404',
    tags: ['second-pass'],
    evidence: { at: 'steps[0].expect.status', exchanges: [first, second].filter((one) => one !== undefined) },
  });
  const [point] = assembleReport(makeFacts([makeStage('api', [check])])).brief.weakest;

  expect(point?.headline).toContain('what held at first did not hold again');
  expect(point?.evidence?.exchanges?.map(({ label }) => label)).toEqual([
    'first pass: GET /links/a',
    'second pass: GET /links/a',
  ]);
  expect(point?.question).toContain('what in your service could tell the two apart?');
});
