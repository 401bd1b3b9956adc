import { describe, expect, test } from 'vitest';
import { makePrng } from '../../shared/prng.ts';
import { scheduleArrivals } from '../arrivals.ts';
import { nextKind, weightedPick } from '../user-mix.ts';
import { waitTimeMs } from '../wait-time.ts';
import { WakeQueue } from '../wake-queue.ts';

describe('arrivals', () => {
  test('come evenly at a constant rate', () => {
    const schedule = scheduleArrivals({
      kind: 'open',
      fromPerSecond: 200,
      toPerSecond: 200,
      durationMs: 2000,
    });
    expect(schedule.count).toBe(400);
    for (const index of [0, 1, 57, 399]) {
      expect(schedule.timeMs(index)).toBeCloseTo(index * 5, 6);
    }
  });

  test.each([
    [50, 200],
    [200, 50],
    [0, 100],
    [100, 0],
  ])('follow a rate that goes from %d/s to %d/s', (fromPerSecond, toPerSecond) => {
    const durationMs = 10_000;
    const schedule = scheduleArrivals({ kind: 'open', fromPerSecond, toPerSecond, durationMs });
    const times = Array.from({ length: schedule.count }, (_, index) => schedule.timeMs(index));
    expect(schedule.count).toBe(((fromPerSecond + toPerSecond) / 2) * 10);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(durationMs);
    for (let second = 0; second < 10; second += 1) {
      const inSecond = times.filter((time) => time >= second * 1000 && time < (second + 1) * 1000).length;
      const expected = fromPerSecond + ((toPerSecond - fromPerSecond) * (second + 0.5)) / 10;
      expect(Math.abs(inSecond - expected)).toBeLessThanOrEqual(1);
    }
  });
});

describe('the mix of users', () => {
  test('follows the weights at every moment', () => {
    const counts = [0, 0];
    const kinds = [{ weight: 4 }, { weight: 1 }];
    for (let spawned = 1; spawned <= 100; spawned += 1) {
      const kind = nextKind(kinds, counts);
      counts[kind] = (counts[kind] ?? 0) + 1;
      expect(Math.abs((counts[0] ?? 0) - spawned * 0.8)).toBeLessThanOrEqual(1);
    }
    expect(counts).toEqual([80, 20]);
  });

  test('spawns fixed counts first, and no more of them', () => {
    const counts = [0, 0, 0];
    const kinds = [{ weight: 9 }, { weight: 1, fixedCount: 2 }, { weight: 1 }];
    const order = Array.from({ length: 12 }, () => {
      const kind = nextKind(kinds, counts);
      counts[kind] = (counts[kind] ?? 0) + 1;
      return kind;
    });
    expect(order.slice(0, 2)).toEqual([1, 1]);
    expect(counts).toEqual([9, 2, 1]);
  });
});

describe('a weighted pick', () => {
  test('draws tasks by their weights', () => {
    const pick = weightedPick([9, 1, 0.5]);
    const prng = makePrng('tasks');
    const counts = [0, 0, 0];
    const draws = 100_000;
    for (let draw = 0; draw < draws; draw += 1) {
      const index = pick(prng.next());
      counts[index] = (counts[index] ?? 0) + 1;
    }
    expect((counts[0] ?? 0) / draws).toBeCloseTo(9 / 10.5, 2);
    expect((counts[1] ?? 0) / draws).toBeCloseTo(1 / 10.5, 2);
    expect((counts[2] ?? 0) / draws).toBeCloseTo(0.5 / 10.5, 2);
  });

  test('has an answer at both ends', () => {
    expect(weightedPick([1, 1])(0)).toBe(0);
    expect(weightedPick([1, 1])(0.999_999)).toBe(1);
    expect(weightedPick([1 / 3, 1 / 3, 1 / 3])(1)).toBe(2);
  });
});

describe('the wait time', () => {
  const prng = makePrng('wait');

  test('is constant', () => {
    expect(waitTimeMs({ kind: 'constant', ms: 250 }, 999, prng)).toBe(250);
  });

  test('lies evenly between two bounds', () => {
    const times = Array.from({ length: 10_000 }, () =>
      waitTimeMs({ kind: 'between', minMs: 100, maxMs: 500 }, 0, prng),
    );
    expect(Math.min(...times)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...times)).toBeLessThanOrEqual(500);
    expect(times.reduce((sum, time) => sum + time, 0) / times.length).toBeCloseTo(300, -1);
  });

  test.each([
    [30, 70],
    [100, 0],
    [500, 0],
  ])('with pacing after a task of %d ms is %d ms', (tookMs, expected) => {
    expect(waitTimeMs({ kind: 'pacing', periodMs: 100 }, tookMs, prng)).toBe(expected);
  });
});

describe('the wake queue', () => {
  test('gives back in order of time, and nothing before its time', () => {
    const queue = new WakeQueue<number>();
    const prng = makePrng('queue');
    const times = Array.from({ length: 500 }, () => Math.floor(prng.next() * 1000));
    for (const time of times) {
      queue.push(time, time);
    }
    expect(queue.nextMs).toBe(Math.min(...times));
    const early: number[] = [];
    for (let due = queue.popDue(499); due; due = queue.popDue(499)) {
      early.push(due.item);
    }
    expect(early).toEqual(times.filter((time) => time <= 499).toSorted((a, b) => a - b));
    expect(queue.size).toBe(500 - early.length);
    const rest: number[] = [];
    for (let due = queue.popDue(Infinity); due; due = queue.popDue(Infinity)) {
      rest.push(due.item);
    }
    expect([...early, ...rest]).toEqual(times.toSorted((a, b) => a - b));
    expect(queue.nextMs).toBe(Infinity);
  });
});
