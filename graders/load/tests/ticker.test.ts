import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { whenDated } from '../found-answers.ts';
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
  let controller = new AbortController();

  interface HeldUp {
    read: number;
    /** When two answers came that one look found, the second of them read 10 ms after the first. */
    came: number[];
    unseen: number[];
  }

  function block(): void {
    const untilMs = performance.now() + HELD_UP_MS;
    while (performance.now() < untilMs) {
      // Nothing can be read meanwhile.
    }
  }

  async function heldUp(ownsCpu: boolean, sentBeforeMs: number): Promise<HeldUp> {
    controller = new AbortController();
    const unseen: number[] = [];
    const ticker = new Ticker({
      ownsCpu,
      onTick: (nowMs) => nowMs + 1,
      health: { recordIdle: () => {}, recordUnseen: (ms) => unseen.push(ms) },
    });
    const waiting = ticker.waitUntil(() => false, controller.signal);
    await later(5);
    block();
    const read = performance.now();
    const found = [read, read + 10].map((nowMs) => ticker.find(nowMs, read - sentBeforeMs));
    const came = await Promise.all(
      found.map(async (answer) => await new Promise<number>((resolve) => whenDated(answer, resolve))),
    );
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    return { came, read, unseen };
  }

  test('is spread over the time in which this side was held up, and never before it was asked for', async () => {
    const { read, came } = await heldUp(true, 1000);
    const [first = 0, second = 0] = came.map((ms) => read - ms);
    expect(first).toBeGreaterThanOrEqual((HELD_UP_MS * 2) / 3);
    expect(second).toBeCloseTo(first / 2, 6);
    const short = await heldUp(true, 9);
    expect(short.came.map((ms) => Math.round(short.read - ms))).toEqual([6, 3]);
    expect(short.unseen.map((ms) => Math.round(2 * ms))).toEqual([9, 9]);
  });

  test('is when it is read, on a CPU that the service may keep busy', async () => {
    const { came, read, unseen } = await heldUp(false, 1000);
    expect(came).toEqual([read, read + 10]);
    expect(unseen).toEqual([]);
  });

  test('is no later for a timer that is due before the look', async () => {
    controller = new AbortController();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [Socket];
    let ticks = 0;
    const ticker = new Ticker({
      ownsCpu: true,
      onTick: (nowMs) => {
        ticks += 1;
        if (ticks !== 20) {
          return nowMs + 1;
        }
        // Once it has armed the timer that it sleeps by.
        queueMicrotask(() => {
          peer.write('an answer');
          block();
        });
        return nowMs + 6;
      },
      health: { recordIdle: () => {}, recordUnseen: () => {} },
    });
    const agoMs = new Promise<number>((resolve) => {
      client.once('data', () => {
        const nowMs = performance.now();
        whenDated(ticker.find(nowMs, 0), (cameMs) => resolve(nowMs - cameMs));
      });
    });
    const waiting = ticker.waitUntil(() => false, controller.signal);
    expect(await agoMs).toBeGreaterThanOrEqual(HELD_UP_MS / 2);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    client.destroy();
    server.close();
  });
});
