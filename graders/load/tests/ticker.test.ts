import { setTimeout as later } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Ticker } from '../ticker.ts';

const never = new AbortController().signal;

describe.each([true, false])('the clock, with a CPU of its own: %s', (ownsCpu) => {
  test('ticks at every time that is due, and never before', async () => {
    const due = [1, 3, 4, 30, 31].map((ms) => performance.now() + ms);
    const early: number[] = [];
    const left = [...due];
    const ticker = new Ticker({
      ownsCpu,
      onTick: (nowMs) => {
        while ((left[0] ?? Infinity) <= nowMs) {
          early.push(Math.max(0, (left.shift() ?? 0) - performance.now()));
        }
        return left[0] ?? Infinity;
      },
      health: { recordIdle: () => {}, recordUnseen: () => {} },
    });
    await ticker.waitUntil(() => left.length === 0, never);
    expect(early).toEqual(due.map(() => 0));
  });

  test('is told of something sooner', async () => {
    let dueMs = Infinity;
    let isDone = false;
    const ticker = new Ticker({
      ownsCpu,
      onTick: (nowMs) => {
        isDone ||= nowMs >= dueMs;
        return dueMs;
      },
      health: { recordIdle: () => {}, recordUnseen: () => {} },
    });
    const waiting = ticker.waitUntil(() => isDone, never);
    const nowMs = performance.now();
    dueMs = nowMs + 2;
    ticker.wakeBy(dueMs, nowMs);
    await waiting;
    expect(performance.now()).toBeGreaterThanOrEqual(dueMs);
  });

  test('reads what comes meanwhile, and ends at a signal', async () => {
    const controller = new AbortController();
    const ticker = new Ticker({
      ownsCpu,
      onTick: (nowMs) => nowMs + 1,
      health: { recordIdle: () => {}, recordUnseen: () => {} },
    });
    const waiting = ticker.waitUntil(() => false, controller.signal);
    void later(10).then(() => controller.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
  });
});

test('counts what it was awake for nothing, and sleeps while nothing is due', async () => {
  let idleMs = 0;
  let ticks = 0;
  let afterMs = 3;
  const ticker = new Ticker({
    ownsCpu: true,
    onTick: (nowMs) => {
      ticks += 1;
      return nowMs + afterMs;
    },
    health: { recordIdle: (ms) => (idleMs += ms), recordUnseen: () => {} },
  });
  await ticker.waitUntil(() => ticks > 10, never);
  expect(idleMs).toBeGreaterThan(0);
  const beforeMs = idleMs;
  afterMs = Infinity;
  const untilMs = performance.now() + 60;
  await ticker.waitUntil((nowMs) => nowMs >= untilMs, never);
  expect(idleMs).toBe(beforeMs);
});

describe('when an answer came', () => {
  const HELD_UP_MS = 40;

  interface HeldUp {
    came: number;
    read: number;
    /** When another came that was read 10 ms after it. */
    next: number;
    unseen: number[];
  }

  async function heldUp(ownsCpu: boolean, sentBeforeMs: number): Promise<HeldUp> {
    const controller = new AbortController();
    const unseen: number[] = [];
    const ticker = new Ticker({
      ownsCpu,
      onTick: (nowMs) => nowMs + 1,
      health: { recordIdle: () => {}, recordUnseen: (ms) => unseen.push(ms) },
    });
    const waiting = ticker.waitUntil(() => false, controller.signal);
    await later(5);
    const untilMs = performance.now() + HELD_UP_MS;
    while (performance.now() < untilMs) {
      // Nothing can be read meanwhile.
    }
    const read = performance.now();
    const came = ticker.cameMs(read, read - sentBeforeMs);
    const next = ticker.cameMs(read + 10, read - sentBeforeMs);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    return { came, read, next, unseen };
  }

  test('is halfway when this side was held up, and never before it was asked for', async () => {
    const long = await heldUp(true, 1000);
    expect(long.read - long.came).toBeGreaterThanOrEqual(HELD_UP_MS / 2);
    const short = await heldUp(true, 10);
    expect(short.read - short.came).toBeCloseTo(5, 6);
    expect(short.unseen.map(Math.round)).toEqual([5, 5]);
  });

  test('has nothing to do with how many were read before it', async () => {
    const { came, next } = await heldUp(true, 1000);
    expect(next).toBe(came);
  });

  test('is when it is read, on a CPU that the service may keep busy', async () => {
    const { came, read, next, unseen } = await heldUp(false, 1000);
    expect([came, next]).toEqual([read, read + 10]);
    expect(unseen).toEqual([]);
  });
});
