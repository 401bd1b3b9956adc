import { describe, expect, it } from 'vitest';
import { LoadThresholdSchema } from '../../../src/domain/load-plan.ts';
import { LoadResultSchema } from '../../../src/domain/report.ts';
import type { LocustEnd, LocustRequests } from '../locust-events.ts';
import { judgeLocust } from '../locust-result.ts';
import { Tally } from '../tally.ts';

type Row = LocustRequests['rows'][number];

function row(part: Partial<Row>): Row {
  return { second: 0, counted: true, method: 'GET', name: 'follow', bytes: 0, ok: [], failed: [], ...part };
}

function judge(rows: Row[], thresholds: string[], end: Partial<LocustEnd> = {}, warmUpMs = 0) {
  const tally = new Tally();
  tally.addRequests({ event: 'requests', broken: 0, rows });
  tally.addUsers(0, 0.4, 5);
  tally.addUsers(1, 1.1, 7);
  const ended = { cpuRatio: 0.2, latenessP99Ms: 1, durationMs: 10_000, exceptions: [], ...end };
  return judgeLocust({
    plan: {
      file: 'hidden/load.yaml',
      locustfile: 'hidden/locustfile.py',
      users: 12,
      spawnPerSecond: undefined,
      runTimeMs: 10_000,
      warmUpMs,
      processes: undefined,
      tags: [],
      excludeTags: [],
      thresholds: thresholds.map((that) => ({
        ...LoadThresholdSchema.parse({ that, points: 2 }),
        visibility: 'hidden',
      })),
    },
    seed: 's',
    tally,
    ends: [{ event: 'ended', ...ended }],
    samples: [],
    tooLarge: [],
    notes: [],
    usage: [],
  });
}

describe('judgeLocust', () => {
  it('gives the document of our own generator, with a row for each name', () => {
    const { result, checks, inconclusive } = judge(
      [
        row({ ok: [[10, 90]], failed: [['ConnectionRefusedError()', false, 1, 10]] }),
        row({ second: 1, method: 'POST', name: 'create', ok: [[20, 100]] }),
      ],
      ['p95(follow) < 15ms', 'errors < 1%', 'rps(create) > 9', 'checks > 99%'],
    );

    expect(inconclusive).toBeUndefined();
    expect(LoadResultSchema.parse(result)).toEqual(result);
    expect(result.tasks.map(({ name, requests, failures }) => [name, requests, failures])).toEqual([
      ['create', 100, 0],
      ['follow', 100, 10],
    ]);
    expect(result.thresholds.map(({ ok, actual }) => [ok, actual])).toEqual([
      [true, expect.closeTo(10, 1)],
      [false, 0.05],
      [true, 10],
      // A refused connection is an error, not a wrong answer.
      [true, 1],
    ]);
    expect(checks.map(({ points }) => points)).toEqual([2, 0, 2, 2]);
    expect(result.series.find(({ name }) => name === 'users')?.points.slice(0, 3)).toEqual([
      [0, 5],
      [1, 12],
      [2, 12],
    ]);
  });

  it('leaves the warm-up out of the rows and keeps it in the curves', () => {
    const { result } = judge(
      [row({ counted: false, ok: [[500, 7]] }), row({ second: 3, ok: [[5, 80]] })],
      ['max < 100ms'],
      {},
      2000,
    );

    expect(result.total).toMatchObject({ requests: 80, requestsPerSecond: 10 });
    expect(result.series.find(({ name }) => name === 'rps')?.points[0]).toEqual([0, 7]);
    expect(result.phases.map(({ label }) => label)).toEqual(['warm-up 2s', 'closed, 12 users']);
  });

  it('keeps methods of one name apart in the rows and together under the bare name', () => {
    const { result } = judge(
      [row({ name: '/links', ok: [[10, 1]] }), row({ name: '/links', method: 'POST', ok: [[30, 1]] })],
      ['max(/links) < 20ms', 'max(GET /links) < 20ms'],
    );

    expect(result.tasks.map(({ name }) => name)).toEqual(['GET /links', 'POST /links']);
    expect(result.thresholds.map(({ ok }) => ok)).toEqual([false, true]);
  });

  it('says which requests there were when a threshold names none of them', () => {
    const { checks } = judge([row({ ok: [[10, 1]] })], ['p95(folow) < 20ms']);

    expect(checks[0]?.message).toContain('requests of the locustfile were: follow');
  });

  it.each([
    ['had no CPU time left', { cpuRatio: 0.95 }],
    ['ran late', { latenessP99Ms: 80 }],
  ])('does not trust figures of a Locust that %s', (words, end) => {
    expect(judge([row({ ok: [[10, 1]] })], ['p95 < 20ms'], end).inconclusive).toContain(words);
  });

  it('says that the model is closed, and that tasks raised', () => {
    const exceptions = [{ count: 3, message: "KeyError('code')", traceback: '' }];
    const { result } = judge([row({ ok: [[10, 1]] })], ['p95 < 20ms'], { exceptions });

    expect(result.remarks?.join(' ')).toMatch(/coordinated omission.*3 times.*KeyError/);
  });
});
