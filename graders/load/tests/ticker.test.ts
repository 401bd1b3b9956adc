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
  /** It would sleep longer. */
  const SHORT_MS = 12;
  let controller = new AbortController();

  interface HeldUp {
    read: number;
    /** When two answers came that one look found, the second of them read 10 ms after the first. */
    came: number[];
    unseen: number[];
  }

  function block(ms: number): void {
    const untilMs = performance.now() + ms;
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
    block(HELD_UP_MS);
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

  async function pair(): Promise<{ client: Socket; peer: Socket; close: () => void }> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [peer] = (await once(server, 'connection')) as [Socket];
    function close(): void {
      client.destroy();
      server.close();
    }
    return { client, peer, close };
  }

  /** When an answer came, before it is read, ms; `aloneAgo`: as if none had been found with it. */
  interface Ago {
    ago: number;
    aloneAgo: number;
  }

  /** How long ago an answer came that is read after so long, where the next thing was due after `dueInMs`. */
  async function agoAfterSleep(
    heldUpMs: number,
    dueInMs: number,
    onRead: (ticker: Ticker) => void,
  ): Promise<Ago> {
    controller = new AbortController();
    const { client, peer, close } = await pair();
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
          block(heldUpMs);
        });
        return nowMs + dueInMs;
      },
      health: { recordIdle: () => {}, recordUnseen: () => {} },
    });
    const agoMs = new Promise<Ago>((resolve) => {
      client.once('data', () => {
        const nowMs = performance.now();
        const answer = ticker.find(nowMs, 0);
        const alone = answer.cameMs;
        whenDated(answer, (cameMs) => resolve({ ago: nowMs - cameMs, aloneAgo: nowMs - alone }));
        onRead(ticker);
      });
    });
    const waiting = ticker.waitUntil(() => false, controller.signal);
    const ago = await agoMs;
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    close();
    return ago;
  }

  test('is no later for a timer that is due before the look', async () => {
    const { ago } = await agoAfterSleep(HELD_UP_MS, 6, () => {});
    expect(ago).toBeGreaterThanOrEqual(HELD_UP_MS / 2);
  });

  test('stays what it was when something sooner becomes due as it is read', async () => {
    const { ago, aloneAgo } = await agoAfterSleep(SHORT_MS, 1000, (ticker) => {
      const nowMs = performance.now();
      ticker.wakeBy(nowMs + 10, nowMs);
    });
    expect(aloneAgo).toBeGreaterThanOrEqual(SHORT_MS / 2);
    expect(ago).toBeCloseTo(aloneAgo, 6);
  });
});
