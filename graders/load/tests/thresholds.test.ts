import { describe, expect, test } from 'vitest';
import { parseThreshold } from '../../../src/domain/load-threshold.ts';
import { judgeHealth } from '../health.ts';
import { RowRecorder } from '../recorder.ts';
import { judgeThreshold } from '../thresholds.ts';
import type { Figures } from '../thresholds.ts';

const SECONDS = 10;

/** 100 requests: 95 good ones of 1 to 95 ms, 4 wrong answers, 1 broken connection. */
function row(): RowRecorder {
  const recorder = new RowRecorder();
  for (let index = 1; index <= 100; index += 1) {
    const failure = index <= 95 ? undefined : 'expected status 200, got 500';
    recorder.record({
      row: 0,
      intendedMs: 0,
      sentMs: 0,
      endMs: index,
      failure,
      answered: index < 100,
      counted: true,
    });
  }
  return recorder;
}

function judge(that: string, recorder = row(), figures: Partial<Figures> = {}) {
  const parsed = parseThreshold(that);
  if (!parsed.ok) {
    throw new Error(parsed.message);
  }
  return judgeThreshold(that, parsed.threshold, { row: recorder, countedSeconds: SECONDS, ...figures });
}

describe('a threshold', () => {
  test.each([
    'p50 < 48.1ms',
    'p95(follow) < 92ms',
    'max <= 95ms',
    'min < 2ms',
    'avg <= 48ms',
    'errors <= 5%',
    'checks > 95.9%',
    'rps >= 9.5',
  ])('%s holds', (that) => {
    expect(judge(that)).toMatchObject({ result: { ok: true }, message: '' });
  });

  test.each([
    ['max < 95ms', 'max was 95 ms, the limit is 95 ms'],
    ['p95(follow) < 80ms', 'p95(follow) was 91 ms, the limit is 80 ms'],
    ['errors < 5%', 'errors were 5 %, the limit is 5 %'],
    ['checks > 99%', 'checks were 96 %, the least allowed is 99 %'],
    ['rps > 10/s', 'rps was 9.5/s, the least allowed is 10/s'],
  ])('%s fails', (that, message) => {
    expect(judge(that)).toMatchObject({ result: { ok: false }, message });
  });

  test('just past its limit does not read as the limit', () => {
    const recorder = new RowRecorder();
    recorder.record({
      row: 0,
      intendedMs: 0,
      sentMs: 0,
      endMs: 100.4,
      failure: undefined,
      answered: true,
      counted: true,
    });
    expect(judge('max < 100ms', recorder).message).toBe('max was 100.4 ms, the limit is 100 ms');
  });

  test('on latency fails where nothing succeeded, however quick the failures were', () => {
    const recorder = new RowRecorder();
    recorder.record({
      row: 0,
      intendedMs: 0,
      sentMs: 0,
      endMs: 1,
      failure: 'x',
      answered: false,
      counted: true,
    });
    expect(judge('p95(follow) < 100ms', recorder)).toMatchObject({
      result: { ok: false, actual: null },
      message: 'no request of "follow" succeeded',
    });
    expect(judge('checks > 0%', recorder).message).toBe('no request was answered');
  });

  test('fails where there was no request at all', () => {
    for (const that of ['p95 < 1s', 'errors < 100%', 'checks > 0%', 'rps > 0']) {
      expect(judge(that, new RowRecorder()).result.ok).toBe(false);
    }
  });

  test('counts what was never sent as errors', () => {
    const recorder = row();
    recorder.unsent = 100;
    expect(judge('errors < 50%', recorder).message).toBe('errors were 52.5 %, the limit is 50 %');
  });
});

describe('a row of the results', () => {
  test('keeps failures apart and counts their kinds, up to a bound', () => {
    const recorder = new RowRecorder();
    for (let index = 0; index < 50; index += 1) {
      recorder.record({
        row: 0,
        intendedMs: 0,
        sentMs: undefined,
        endMs: 1000,
        failure: `kind ${index}`,
        answered: false,
        counted: true,
      });
    }
    const task = recorder.toTask('t', 10);
    expect(task).toMatchObject({
      requests: 50,
      failures: 50,
      requestsPerSecond: 5,
      latency: null,
      serviceTime: null,
    });
    expect(task.failureLatency).toMatchObject({ count: 50, p50: 1000 });
    expect(task.errors).toHaveLength(20);
    expect(task.errors[0]).toEqual({ message: 'other failures', count: 31 });
  });
});

describe('a multiple of the reference', () => {
  const latency = { count: 200, min: 0.5, mean: 1, p50: 1, p90: 2, p95: 4, p99: 8, max: 9 };
  const reference = { latency, requestsPerSecond: 2000 };

  test('is judged by the ratio, and says what both reached', () => {
    expect(judge('p95 < 24 x reference', row(), { reference }).result).toMatchObject({ ok: true, unit: 'x' });
    const { result, message } = judge('p95 < 20 x reference', row(), { reference });
    expect(result).toMatchObject({ ok: false, limit: 20, raw: { limit: 80, unit: 'ms' } });
    expect(result.actual).toBeCloseTo((result.raw?.actual ?? 0) / 4, 2);
    expect(message).toMatch(
      /^p95 was 22\.\d x reference, the limit is 20 x reference \(9\d(?:\.\d)? ms, where the reference reached 4 ms\)$/,
    );
  });

  test('of its requests per second is what rps and knee are compared with, each with its own', () => {
    const figures = { reference, knee: { rate: 500, reference: 2000, outcome: 'found' } } as const;
    expect(judge('knee >= 0.25 x reference', row(), figures).result).toMatchObject({
      ok: true,
      actual: 0.25,
    });
    expect(judge('knee >= 501/s', row(), figures).message).toBe('knee was 500/s, the least allowed is 501/s');
    expect(judge('knee >= 1/s').message).toBe('the knee was not found');
    expect(judge('rps > 0.1 x reference', row(), figures).result.ok).toBe(false);
  });
});

describe('the generator', () => {
  const well = {
    schedulingLagP99Ms: 2,
    cpuRatio: 0.5,
    eventLoopDelayP99Ms: 3,
    droppedArrivals: 0,
    othersCpuRatio: null,
  };

  test.each([
    ['is well', well, 0, undefined],
    ['is busy without being late', { ...well, cpuRatio: 1 }, 0, undefined],
    ['ran late', { ...well, schedulingLagP99Ms: 51 }, 0, 'ran late'],
    ['is busy and late', { ...well, cpuRatio: 0.99, eventLoopDelayP99Ms: 20 }, 0, 'no CPU time left'],
    ['ran out of descriptors', well, 20, 'its own resources'],
    ['dropped arrivals', { ...well, droppedArrivals: 20 }, 0, 'did not come to 20 of 10000 requests'],
    ['failed once in a great many', well, 1, undefined],
  ])('%s', (_name, facts, ownFailures, sentence) => {
    const judged = judgeHealth(facts, ownFailures, 10_000);
    if (sentence === undefined) {
      expect(judged).toBeUndefined();
    } else {
      expect(judged).toContain(sentence);
    }
  });
});
