import { expect, it } from 'vitest';
import { LoadPlanSchema, resolveLoadPlan } from '../../../src/domain/load-plan.ts';
import { distributionOf } from '../distribution.ts';
import { toLocustCsv } from '../locust-csv.ts';
import { Recorder } from '../recorder.ts';

const PLAN = resolveLoadPlan(
  'hidden/load.yaml',
  LoadPlanSchema.parse({
    users: [
      {
        name: 'Visitor',
        tasks: [
          { name: 'follow', request: 'GET /a' },
          { name: 'create', request: 'POST /links' },
        ],
      },
    ],
    shape: [{ users: 1, for: '2s' }],
    thresholds: [{ that: 'errors < 1%' }],
  }),
);

/** Ten requests of 10 to 100 ms to "follow", one of them wrong, and one to "create", over two seconds. */
function recorded(): Recorder {
  const recorder = new Recorder(2, 0);
  const request = { sentMs: 5, intendedMs: 0, answered: true, counted: true };
  for (let endMs = 10; endMs <= 100; endMs += 10) {
    const failure = endMs === 100 ? '=1+1, "quoted"' : undefined;
    recorder.record({ ...request, row: 0, endMs, failure });
  }
  recorder.closeSecond(1000, 3);
  recorder.record({ ...request, row: 1, endMs: 50, failure: undefined });
  recorder.closeSecond(2000, 3);
  return recorder;
}

function files() {
  return toLocustCsv({
    plan: PLAN,
    rowNames: ['follow', 'create'],
    recorder: recorded(),
    countedSeconds: 2,
    startMs: 1_800_000_000_000 - performance.timeOrigin,
  });
}

it("writes Locust's statistics: its columns, a row for each name, and all together", () => {
  const [head, follow, create, all] = files()['load_stats.csv']?.split('\r\n') ?? [];

  expect(head).toBe(
    'Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Min Response Time,' +
      'Max Response Time,Average Content Size,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%',
  );
  expect(follow).toMatch(
    /^GET,follow,10,1,50\.\d+,55,10,100,N\/A,5\.000000,0\.500000,50\.\d+,70\.\d+,.*,100$/,
  );
  expect(create).toMatch(/^POST,create,1,0,50/);
  expect(all).toMatch(/^,Aggregated,11,1,/);
});

it('writes a line of history for every second, with what there was until then', () => {
  const lines = files()['load_stats_history.csv']?.trim().split('\r\n') ?? [];

  expect(lines[0]).toBe(
    'Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,66%,75%,80%,90%,95%,98%,99%,99.9%,99.99%,100%,' +
      'Total Request Count,Total Failure Count,Total Median Response Time,Total Average Response Time,' +
      'Total Min Response Time,Total Max Response Time,Total Average Content Size',
  );
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^1800000001,3,,Aggregated,10\.000000,1\.000000,50/);
  expect(lines[2]).toMatch(/^1800000002,3,,Aggregated,1\.000000,0\.000000,50.*,11,1,50\.\d+,50,10,90,N\/A$/);
});

it('quotes what a service may have put into an error, and makes no formula of it', () => {
  expect(files()['load_failures.csv']).toBe(
    'Method,Name,Error,Occurrences\r\nGET,follow,"\'=1+1, ""quoted""",1\r\n',
  );
});

it('tells both latencies up to the last percentile that there are requests for', () => {
  const distribution = distributionOf(recorded().total()) ?? [];

  expect(distribution.map(({ percent }) => percent)).toEqual([0, 10, 25, 50, 66, 75, 80, 90, 100]);
  for (const { waited, served } of distribution) {
    expect(waited - served).toBeCloseTo(5, 0);
  }
});
