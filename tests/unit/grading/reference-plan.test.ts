import { describe, expect, it } from 'vitest';
import {
  LoadPlanSchema,
  loadPlanBudgetMs,
  needsTurns,
  referenceNeed,
  resolveLoadPlan,
} from '../../../src/domain/load-plan.ts';
import { referencePlan, toFigures } from '../../../src/grading/reference-plan.ts';
import { makeLatency, makeLoadTask } from '../../helpers/report-fixtures.ts';

const KNEE = { findKnee: { objective: 'p95 < 100ms', from: '50/s', to: '500/s' } };
const CLOSED = { users: 1, for: '1s' };

function planOf(limits: string[], shape: object[] = [CLOSED]) {
  const users = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];
  const thresholds = limits.map((that) => ({ that }));
  return resolveLoadPlan('load.yaml', LoadPlanSchema.parse({ users, shape, thresholds }));
}

describe('what a plan needs of the reference', () => {
  it.each([
    ['nothing', ['p95 < 1s', 'rps > 1/s'], [CLOSED]],
    ['latency', ['p95(get) < 9 x reference', 'rps > 1/s'], [CLOSED]],
    ['latency', ['avg < 9 x reference', 'knee > 9/s'], [CLOSED, KNEE]],
    ['rate', ['p95 < 9 x reference', 'rps > 0.1 x reference'], [CLOSED]],
    ['latency', ['knee > 0.1 x reference'], [CLOSED, KNEE]],
    ['rate', ['knee > 0.1 x reference', 'rps > 0.1 x reference'], [CLOSED, KNEE]],
  ])('is %s for %j', (need, limits, shape) => {
    expect(referenceNeed(planOf(limits, shape))).toBe(need);
  });

  it.each([
    [false, ['p95 < 9 x reference', 'rps > 0.1 x reference', 'knee > 9/s'], [CLOSED, KNEE]],
    [false, ['knee > 0.1 x reference'], [CLOSED]],
    [true, ['knee > 0.1 x reference'], [CLOSED, KNEE]],
  ])('are turns with the search for the knee: %s for %j', (turns, limits, shape) => {
    expect(needsTurns({ ...planOf(limits, [CLOSED, KNEE]), shape: planOf(['p95 < 1s'], shape).shape })).toBe(
      turns,
    );
  });

  it('is nothing for the knee under a profile that does not look for it', () => {
    const { shape } = planOf(['p95 < 1s']);
    expect(referenceNeed({ ...planOf(['knee > 0.1 x reference'], [CLOSED, KNEE]), shape })).toBe('nothing');
  });

  it('is measured for as long as that takes', () => {
    function phases(need: 'latency' | 'rate') {
      return referencePlan(need).shape.map(({ kind, durationMs }) => [kind, durationMs]);
    }
    expect(phases('latency')).toEqual([
      ['warm-up', 800],
      ['open', 1000],
    ]);
    expect(phases('rate')).toEqual([
      ['warm-up', 800],
      ['warm-up', 2200],
      ['open', 1000],
    ]);
  });

  it('is given the time for it after the test', () => {
    const more = loadPlanBudgetMs(planOf(['p95 < 9 x reference'])) - loadPlanBudgetMs(planOf(['p95 < 1s']));
    expect(more).toBeGreaterThan(loadPlanBudgetMs(referencePlan('rate')));
  });
});

describe('the figures of the reference', () => {
  const latency = makeLatency(1, 2, 3);
  const total = makeLoadTask('total', { failures: 0, latency });
  const phases = [9000, 15_500, 300].map((rate, at) => ({ label: 'x', fromS: at, toS: at + 1, rate }));

  it('are the rate of the phase that saturates it, where that is needed', () => {
    expect(toFigures('rate', { total, phases })).toEqual({ latency, requestsPerSecond: 15_500 });
    expect(toFigures('latency', { total, phases: phases.slice(1) })).toEqual({ latency });
  });

  it('are none where a request failed, or the rate is not known', () => {
    expect(toFigures('latency', { total: { ...total, failures: 1 }, phases })).toBeUndefined();
    expect(toFigures('rate', { total, phases: phases.slice(0, 1) })).toBeUndefined();
  });
});
