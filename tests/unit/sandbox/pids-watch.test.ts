import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { PidsWatch } from '../../../src/sandbox/docker/pids-watch.ts';

const LIMIT = 100;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function watchOf(...readings: number[]): { watch: PidsWatch; read: ReturnType<typeof vi.fn> } {
  const read = vi.fn(() =>
    Promise.resolve({ cpuMs: 0, throttledMs: 0, memoryBytes: 0, pids: readings.shift() ?? 0 }),
  );
  const watch = new PidsWatch(LIMIT, read);
  watch.start();
  return { watch, read };
}

it('sees the limit met at the last moment when nothing was read before', async () => {
  const { watch, read } = watchOf(LIMIT);

  await watch.lookBeforeEnd();

  expect(read).toHaveBeenCalledTimes(1);
  expect(watch.limitHit).toBe(true);
});

it('does not wait for the engine where a moment ago there were few', async () => {
  const { watch, read } = watchOf(3, LIMIT);
  await watch.look();

  await watch.lookBeforeEnd();

  expect(read).toHaveBeenCalledTimes(1);
});

it('looks again where there were many, or where the reading is old', async () => {
  const { watch, read } = watchOf(LIMIT / 2, 3, LIMIT);
  await watch.look();
  await watch.lookBeforeEnd();
  expect(read).toHaveBeenCalledTimes(2);
  watch.stop();
  vi.advanceTimersByTime(1501);

  await watch.lookBeforeEnd();

  expect(read).toHaveBeenCalledTimes(3);
  expect(watch.limitHit).toBe(true);
});

it('knows nothing of a new life from the one before', async () => {
  const { watch, read } = watchOf(3, LIMIT);
  await watch.look();
  watch.start();

  await watch.lookBeforeEnd();

  expect(read).toHaveBeenCalledTimes(2);
  expect(watch.limitHit).toBe(true);
});

it('does not take the late answer about the life before for one about this', async () => {
  const { watch, read } = watchOf(LIMIT);
  const askedMs = performance.now();
  vi.advanceTimersByTime(10);
  watch.start();
  watch.note({ cpuMs: 0, memoryBytes: 0, pids: 0 }, askedMs);

  await watch.lookBeforeEnd();

  expect(read).toHaveBeenCalledTimes(1);
  expect(watch.limitHit).toBe(true);
});
