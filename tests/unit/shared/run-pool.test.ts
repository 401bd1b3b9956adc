import { expect, it } from 'vitest';
import { runPool } from '../../../src/shared/run-pool.ts';

it('keeps the order and never runs more than so many at once', async () => {
  let running = 0;
  let most = 0;
  const results = await runPool([3, 1, 2, 0], 2, async (turns, index) => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = 0; turn < turns; turn += 1) {
      await Promise.resolve();
    }
    running -= 1;
    return `${index}:${turns}`;
  });

  expect(results).toEqual(['0:3', '1:1', '2:2', '3:0']);
  expect(most).toBe(2);
});

it('begins nothing new after a failure, and waits for what runs', async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const pool = runPool([0, 1, 2, 3], 2, async (item) => {
    begun.push(item);
    await Promise.resolve();
    if (item === 0) {
      throw new Error('zero');
    }
    await Promise.resolve();
    ended.push(item);
  });

  await expect(pool).rejects.toThrow('zero');
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([1]);
});
