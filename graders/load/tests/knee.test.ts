import { describe, expect, test } from 'vitest';
import { makePrng } from '../../shared/prng.ts';
import { KneeSearch } from '../knee-search.ts';
import { runPlan, serveDuring } from './load-host.ts';
import { planOf } from './plan-of.ts';

/** Runs a search against a service whose chance to fail grows around a rate. Answers the rates that it tried. */
function search(range: [number, number], holds: (rate: number) => boolean, most = 60) {
  const knee = new KneeSearch(...range);
  const rates: number[] = [];
  for (let rate = knee.next(); rate !== undefined && rates.length < most; rate = knee.next()) {
    rates.push(rate);
    knee.record(holds(rate));
  }
  return { ...knee.estimate(), rates };
}

describe('the search for the knee', () => {
  test.each([70, 237, 1000, 4300])('finds %d/s', (knee) => {
    const found = search([50, 5000], (rate) => rate <= knee);
    expect(found.outcome).toBe('found');
    expect(Math.abs(found.rate / knee - 1)).toBeLessThan(0.04);
    expect(found.low).toBeLessThanOrEqual(knee);
    expect(found.high).toBeGreaterThanOrEqual(knee);
    expect(found.rates.length).toBeLessThan(40);
  });

  test('is not fooled by measurements that err, and its interval tells how sure it is', () => {
    const prng = makePrng('noise');
    // From 85 % to 115 % of the knee the outcome is more and more likely a failure.
    const runs = Array.from({ length: 40 }, () =>
      search([50, 5000], (rate) => prng.next() > (rate / 800 - 0.85) / 0.3),
    );
    const mean = runs.reduce((sum, { rate }) => sum + rate, 0) / runs.length;
    expect(Math.abs(mean / 800 - 1)).toBeLessThan(0.05);
    expect(runs.every(({ rate }) => Math.abs(rate / 800 - 1) < 0.2)).toBe(true);
    expect(runs.filter(({ low, high }) => low <= 800 && high >= 800).length).toBeGreaterThan(28);
  });

  test('survives one stray failure on its way up', () => {
    let calls = 0;
    const found = search([50, 5000], (rate) => ++calls !== 2 && rate <= 1500);
    expect(Math.abs(found.rate / 1500 - 1)).toBeLessThan(0.04);
  });

  test('says when the knee lies beyond its range', () => {
    expect(search([50, 400], () => true)).toMatchObject({ outcome: 'above', rate: 400 });
    expect(search([50, 400], () => false)).toMatchObject({ outcome: 'below', rate: 0, high: 50 });
  });

  test('answers what it knows when time is up early', () => {
    expect(search([50, 5000], (rate) => rate <= 300, 4)).toMatchObject({ outcome: 'found', low: 200 });
    const found = search([50, 5000], (rate) => rate <= 300, 7);
    expect(found).toMatchObject({ outcome: 'found', repeats: 0 });
    expect([found.low, found.high].map(Math.round)).toEqual([283, 336]);
  });
});

test('a knee is found in a real service, beside results that know nothing of its requests', async (context) => {
  // One at a time, five milliseconds each by the clock: 200/s, whatever the machine does besides.
  let freeAtMs = 0;
  const port = await serveDuring(context, (_request, response) => {
    freeAtMs = Math.max(freeAtMs, performance.now()) + 5;
    setTimeout(() => response.end(), freeAtMs - performance.now());
  });
  const plan = planOf({
    users: [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }],
    shape: [
      { arrivalRate: '20/s', for: '500ms' },
      {
        findKnee: {
          objective: 'p90 < 150ms and errors < 5%',
          from: '20/s',
          to: '3000/s',
          for: '8s',
          step: '500ms',
        },
      },
    ],
    thresholds: [{ that: 'knee > 20/s' }, { that: 'errors < 1%' }],
  });
  const { result, checks } = await runPlan(plan, port);
  const { knee } = result;
  expect(knee?.objective).toBe('p90 < 150ms and errors < 5%');
  // A short step can hold 150 ms of queue. A starved machine may give anything less, and never more.
  expect(knee?.rate).toBeLessThan(330);
  expect(knee?.low).toBeLessThanOrEqual(knee?.rate ?? -1);
  expect(knee?.high).toBeGreaterThanOrEqual(knee?.rate ?? Infinity);
  expect(knee?.steps.some(({ ok }) => !ok)).toBe(true);
  expect(result.total.requests + result.unsent).toBe(10);
  expect(checks[0]).toMatchObject({
    id: 'load/knee-20-s',
    status: (knee?.rate ?? 0) > 20 ? 'passed' : 'failed',
  });
  expect(result.phases.at(-1)?.label).toBe('knee 8s 20 to 3000/s');
});
