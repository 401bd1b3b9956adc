import { describe, expect, test } from 'vitest';
import { makePrng } from '../../shared/prng.ts';
import { findKnee } from '../find-knee.ts';
import { KneeSearch } from '../knee-search.ts';
import { Pace } from '../pace.ts';
import { later, runPlan, serveDuring } from './load-host.ts';
import { planOf } from './plan-of.ts';

/** Runs a search against a service whose chance to fail grows around a rate. Answers the rates that it tried. */
function search(range: [number, number], holds: (rate: number) => boolean, most = 60) {
  const knee = new KneeSearch(...range);
  const rates: number[] = [];
  for (let rate = knee.next(); rate !== undefined && rates.length < most; rate = knee.next()) {
    const tried = Math.min(rate, range[1]);
    rates.push(tried);
    knee.record(holds(tried), tried);
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
    expect(runs.filter(({ low, high }) => low <= 800 && high >= 800).length).toBeGreaterThan(34);
  });

  test('takes the highest rate for held only where it held twice in a row', () => {
    let top = 0;
    const found = search([50, 400], (rate) => rate < 400 || ++top !== 2);
    expect(found).toMatchObject({ outcome: 'above', rate: 400 });
    expect(top).toBe(4);
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

describe('a search in turns with the reference', () => {
  const phase = {
    kind: 'knee',
    objective: { text: 'p95 < 100ms', clauses: new Array<never>() },
    fromPerSecond: 50,
    toPerSecond: 5000,
    stepMs: 1,
    durationMs: 60_000,
  } as const;

  /** A service that takes 1000/s and a reference that reaches 8000/s at full speed. */
  async function searchAt(speedOf: (step: number) => number, changes: { lost?: number; to?: number } = {}) {
    const { lost = Infinity, to = phase.toPerSecond } = changes;
    let steps = 0;
    const rates: number[] = [];
    const found = await findKnee(
      { ...phase, toPerSecond: to },
      async (rate) => {
        const ok = rate <= 1000 * speedOf(steps);
        steps += 1;
        rates.push(rate);
        const none = { failures: 0, unsent: 0, p50: null, p95: null, p99: null };
        return await Promise.resolve({ rate, fromS: 0, toS: 0, ok, requests: 1, ...none });
      },
      async () => await Promise.resolve(steps >= lost ? undefined : 8000 * speedOf(steps)),
    );
    return { ...found, rates, ratio: found.rate / (found.reference ?? Number.NaN) };
  }

  test('comes to the same multiple however the machine changes its speed', async () => {
    const steady = await searchAt(() => 1);
    expect(steady.ratio).toBeGreaterThan(0.121);
    expect(steady.ratio).toBeLessThan(0.129);
    expect(Math.abs(steady.reference ?? 0)).toBeCloseTo(8000, 0);
    const slower = await searchAt((step) => (step < 9 ? 1 : 0.5));
    const swinging = await searchAt((step) => [1, 0.5, 0.7][Math.floor(step / 5) % 3] ?? 1);
    for (const { ratio, rate } of [slower, swinging]) {
      expect(Math.abs(ratio / steady.ratio - 1)).toBeLessThan(0.06);
      expect(rate).toBeLessThan(0.95 * steady.rate);
    }
    expect(slower.steps.map(({ reference }) => reference)).toContain(4000);
  });

  test('tries rates as much lower as the reference is slower, and none above the highest', async () => {
    const { rates } = await searchAt((step) => (step < 3 ? 1 : 0.5));
    // The fourth was to be the double of the third.
    expect(rates.slice(0, 4)).toEqual([50, 100, 200, 200]);
    const quicker = await searchAt((step) => (step < 1 ? 1 : 20));
    expect(Math.max(...quicker.rates)).toBe(5000);
    expect(quicker).toMatchObject({ outcome: 'above', rate: 5000, low: 5000, high: 5000 });
  });

  test('says that even the highest rate held where that was tried, and only then', async () => {
    const slower = await searchAt((step) => (step < 1 ? 1 : 0.5), { to: 450 });
    expect(slower).toMatchObject({ outcome: 'above', rate: 450 });
    expect(slower.rates.filter((rate) => rate === 450)).toHaveLength(2);
    // At full speed it would be 1000; at half of it, it is just below what may be tried.
    const beside = await searchAt((step) => (step < 1 ? 1 : 0.5), { to: 600 });
    expect(beside.outcome).toBe('found');
    expect(Math.abs(beside.rate / 500 - 1)).toBeLessThan(0.08);
  });

  test.each([0, 12])(
    'goes on without it where a turn is lost after %d rates, and tells no multiple',
    async (lost) => {
      const { rate, reference, outcome } = await searchAt(() => 1, { lost });
      expect(outcome).toBe('found');
      expect(Math.abs(rate / 1000 - 1)).toBeLessThan(0.04);
      expect(reference).toBeUndefined();
    },
  );

  test('has a turn that failed tried once more', async () => {
    let asked = 0;
    const pace = new Pace(() => Promise.resolve((asked += 1) % 2 === 0 ? 8000 : undefined));
    await pace.begin();
    expect(await pace.end()).toEqual({ reference: 8000, speed: 1 });
    expect([asked, Math.round(pace.mean().reference ?? 0)]).toEqual([6, 8000]);
  });

  test('does not take the time of the turns from that of the rates', async () => {
    let steps = 0;
    const { outcome } = await findKnee(
      { ...phase, stepMs: 20, durationMs: 400 },
      async (rate) => {
        await later(20);
        steps += 1;
        const none = { failures: 0, unsent: 0, p50: null, p95: null, p99: null };
        return { rate, fromS: 0, toS: 0, ok: rate <= 1000, requests: 1, ...none };
      },
      async () => {
        await later(20);
        return 8000;
      },
    );
    expect(outcome).toBe('found');
    expect(steps).toBeGreaterThan(9);
    expect(steps).toBeLessThan(21);
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
