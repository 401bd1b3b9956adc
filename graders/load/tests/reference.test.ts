import { describe, expect, test } from 'vitest';
import type { ControlReply } from '../../../src/domain/grader-protocol.ts';
import type { ReferenceFigures } from '../../../src/domain/load-result.ts';
import { parseThreshold } from '../../../src/domain/load-threshold.ts';
import { RowRecorder } from '../recorder.ts';
import { toReference } from '../reference.ts';
import { runLoad } from '../run-load.ts';
import { judgeThreshold } from '../thresholds.ts';
import type { Figures } from '../thresholds.ts';
import { runPlan, serveDuring } from './load-host.ts';
import { planOf } from './plan-of.ts';

function figures(ms: number, requestsPerSecond?: number): ReferenceFigures {
  const latency = { count: 300, min: ms, mean: ms, p50: ms, p90: ms, p95: ms, p99: ms, max: ms };
  return requestsPerSecond === undefined ? { latency } : { latency, requestsPerSecond };
}

/** 1000 requests a second succeeded, every one took 100 ms. */
function judge(that: string, before: ReferenceFigures, after?: ReferenceFigures) {
  const parsed = parseThreshold(that);
  if (!parsed.ok) {
    throw new Error(parsed.message);
  }
  const row = new RowRecorder();
  const times = { intendedMs: 0, sentMs: 0, endMs: 100 };
  row.record({ row: 0, ...times, failure: undefined, answered: true, counted: true });
  const reference = after ? toReference(before, after) : before;
  return judgeThreshold(that, parsed.threshold, { row, countedSeconds: 0.001, reference });
}

describe('a threshold against a reference that was measured twice', () => {
  const QUICK = figures(5, 16_000);
  const SLOW = figures(10, 9000);

  test.each([
    ['rps >= 0.05 x reference', true],
    ['rps >= 0.2 x reference', false],
    ['p95 < 30 x reference', true],
    ['p95 < 8 x reference', false],
  ])('%s stands, held or missed against both', (that, ok) => {
    for (const [before, after] of [
      [QUICK, SLOW],
      [SLOW, QUICK],
    ] as const) {
      const judged = judge(that, before, after);
      expect(judged.result.ok).toBe(ok);
      expect(judged.unsteady).toBeUndefined();
    }
  });

  test('that holds against one of them alone is nobody’s, whichever it is', () => {
    expect(judge('rps >= 0.1 x reference', QUICK, SLOW).unsteady).toBe(
      'The machine changed its speed: the reference service reached 16000/s before the test and 9000/s after it, and against one of them alone the limit holds.',
    );
    expect(judge('rps >= 0.1 x reference', SLOW, QUICK).unsteady).toContain('9000/s before');
    expect(judge('rps >= 0.1 x reference', SLOW, QUICK).result).toMatchObject({ ok: false, unsteady: true });
    expect(judge('p95 < 12 x reference', QUICK, SLOW).unsteady).toContain(
      'reached p95 5 ms before the test and 10 ms after it',
    );
  });

  test('that holds against their mean stands, though one of them speaks against it', () => {
    expect(judge('p95 < 15 x reference', QUICK, SLOW)).toMatchObject({ result: { ok: true }, message: '' });
    expect(judge('p95 < 15 x reference', QUICK, SLOW).unsteady).toBeUndefined();
  });

  test('that are as close as chance brings them goes by their mean alone', () => {
    const [one, other] = [figures(5), figures(7)];
    const judged = judge('p95 < 15 x reference', one, other);
    expect(judged.result).toMatchObject({ ok: false, actual: 16.903 });
    expect(judged.unsteady).toBeUndefined();
  });

  test('is compared with the geometric mean, and says what both were', () => {
    const { result, message } = judge('rps >= 0.2 x reference', QUICK, SLOW);
    expect(result).toMatchObject({ actual: 0.083, raw: { limit: 2400 } });
    expect(message).toContain('where the reference reached 16000/s before and 9000/s after');
  });

  test('stands by one measurement where there is no other', () => {
    const judged = judge('rps >= 0.1 x reference', QUICK);
    expect(judged).toMatchObject({ result: { ok: false } });
    expect(judged.unsteady).toBeUndefined();
  });
});

describe('a knee against the reference that was measured in turns with it', () => {
  const [QUICK, SLOW] = [figures(5), figures(10)];
  type Sought = NonNullable<Figures['knee']>;
  function judgeKnee(that: string, found: Omit<Sought, 'outcome'> & Partial<Sought>, unconfirmed = false) {
    const parsed = parseThreshold(that);
    const reference = toReference(QUICK, SLOW);
    return parsed.ok
      ? judgeThreshold(that, parsed.threshold, {
          row: new RowRecorder(),
          countedSeconds: 1,
          knee: { outcome: 'found', ...found },
          reference,
          unconfirmed,
        })
      : undefined;
  }

  test('goes by that alone, and what else the machine did is no excuse', () => {
    const knee = { rate: 1000, reference: 8000 };
    expect(judgeKnee('knee >= 0.125 x reference', knee)?.result).toMatchObject({ ok: true, actual: 0.125 });
    const missed = judgeKnee('knee >= 0.2 x reference', knee, true);
    expect(missed?.result).toMatchObject({ ok: false, raw: { actual: 1000, limit: 1600, unit: '/s' } });
    expect(missed?.message).toContain('(1000/s, where the reference reached 8000/s)');
    expect(missed?.unsteady).toBeUndefined();
  });

  test('is nobody’s where no higher rate could be tried, and else the service’s', () => {
    const top = { rate: 1000, reference: 8000, outcome: 'above' } as const;
    expect(judgeKnee('knee >= 0.1 x reference', top)).toMatchObject({ result: { ok: true }, message: '' });
    expect(judgeKnee('knee >= 0.2 x reference', top)?.unsteady).toContain('needs a higher "to"');
    expect(judgeKnee('knee >= 0.2 x reference', { ...top, outcome: 'found' })?.unsteady).toBeUndefined();
  });

  test('is nobody’s where it could not be measured', () => {
    const judged = judgeKnee('knee >= 0.1 x reference', { rate: 1000 });
    expect(judged?.result).toEqual({
      that: 'knee >= 0.1 x reference',
      ok: false,
      actual: null,
      limit: 0.1,
      unit: 'x',
      unsteady: true,
    });
    expect(judged?.message).toContain('could not be measured in turns');
    expect(judged?.unsteady).toBeDefined();
  });
});

describe.concurrent('the reference is measured again', () => {
  /** Every answer takes 30 ms and more. Answers what the host was asked for, from the end of the load on. */
  async function run(
    that: string,
    reference: ReferenceFigures,
    after: ReferenceFigures | undefined,
    context: Parameters<typeof serveDuring>[0],
  ) {
    let open = 0;
    const port = await serveDuring(context, (_request, response) => {
      open += 1;
      setTimeout(() => {
        open -= 1;
        response.end();
      }, 30);
    });
    const asked: number[] = [];
    const plan = planOf({
      users: [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }],
      shape: [{ users: 2, for: '300ms' }],
      thresholds: [{ that }],
    });
    const ran = await runPlan({ ...plan, reference }, port, (action): Promise<ControlReply> => {
      if (action !== 'reference') {
        return Promise.resolve({ id: 'c', ok: true });
      }
      asked.push(open);
      return Promise.resolve(after ? { id: 'c', ok: true, reference: after } : { id: 'c', ok: false });
    });
    return { ...ran, asked };
  }

  test('where a limit was missed, when nothing is under way any more', async (context) => {
    const { asked, checks, result } = await run('p95 < 5 x reference', figures(1), figures(100), context);
    // On a starved machine the generator was too late itself, and then nothing is asked.
    const isTrusted = asked.length > 0;
    expect(asked).toEqual(isTrusted ? [0] : []);
    expect(checks).toMatchObject([{ status: isTrusted ? 'errored' : 'failed' }]);
    expect(checks[0]?.message).toContain(isTrusted ? 'p95 1 ms before the test and 100 ms after it' : 'p95');
    expect(result.reference).toMatchObject(
      isTrusted ? { latency: { p95: 10 }, before: figures(1), after: figures(100) } : figures(1),
    );
  });

  test('and a limit that was missed is nobody’s where that fails', async (context) => {
    const { asked, checks } = await run('p95 < 5 x reference', figures(1), undefined, context);
    expect(checks).toMatchObject([{ status: asked.length > 0 ? 'errored' : 'failed' }]);
    expect(checks[0]?.message).toContain(asked.length > 0 ? 'could not be measured once more' : 'p95');
  });

  test('and the limit that it missed both times is the service’s', async (context) => {
    const { asked, checks } = await run('p95 < 5 x reference', figures(1), figures(2), context);
    expect(asked.length).toBeLessThanOrEqual(1);
    expect(checks[0]?.status).toBe('failed');
  });

  test('not where a limit on latency held', async (context) => {
    const { asked, checks, result } = await run('p95 < 1000 x reference', figures(1000), figures(1), context);
    expect([asked, checks[0]?.status]).toEqual([[], 'passed']);
    expect(result.reference).toEqual(figures(1000));
  });

  test('always where a rate is compared with it; the first one does when that fails', async (context) => {
    const first = figures(1, 100);
    const { asked, checks, result } = await run('rps >= 0.01 x reference', first, undefined, context);
    expect(asked.length).toBeLessThanOrEqual(1);
    expect(checks[0]?.status).toBe('passed');
    expect(result.reference).toEqual(first);
  });

  test('not where it was never measured as the plan needs it', async (context) => {
    const port = await serveDuring(context, (_request, response) => response.end());
    const users = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];
    const plan = planOf({ users, thresholds: [{ that: 'rps >= 1 x reference' }] });
    const input = { v: 1 as const, stage: 'load', seed: 's', deadlineMs: 600_000 };
    const host = { emit: () => Promise.resolve(), ask: () => Promise.reject(new Error('asked')) };
    const target = { address: '127.0.0.1', port };
    const { signal } = new AbortController();
    const measured = { ...input, target, plan: { ...plan, reference: figures(1) } };
    expect(await runLoad(measured, host, signal)).toContain('was not measured');
  });
});

test('a phase tells the rate of its right answers, a warm-up too', async (context) => {
  const port = await serveDuring(context, (_request, response) => setTimeout(() => response.end(), 10));
  const users = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }] }];
  const shape = [
    { warmUp: '400ms', users: 2 },
    { arrivalRate: '50/s', for: '400ms' },
  ];
  const { result } = await runPlan(planOf({ users, shape }), port);
  const [warmUp, open] = result.phases.map(({ rate }) => rate ?? Number.NaN);
  // Two users, 10 ms and more for each answer; those of theirs that come late fall to the next phase.
  expect(warmUp).toBeGreaterThan(0);
  expect(warmUp).toBeLessThan(220);
  expect(open).toBeGreaterThan(0);
  expect(open).toBeLessThan(56);
  expect(result.total.requests).toBe(20);
});
