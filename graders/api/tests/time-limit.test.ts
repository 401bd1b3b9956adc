import { expect, it } from 'vitest';
import { runWithin } from '../time-limit.ts';

/** Takes time without taking CPU, as a process does whose CPU others have. */
function stand(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

it('ends work that goes on and on', () => {
  const outcome = runWithin(() => {
    for (;;) {
      // As a regular expression does that backtracks.
    }
  }, 100);

  expect(outcome).toEqual({ late: true });
});

it('begins anew when the CPU was elsewhere', () => {
  // What this process does beside the work is counted for it; of a larger limit it is less.
  let runs = 0;
  const outcome = runWithin(() => {
    runs += 1;
    if (runs < 3) {
      stand(60_000);
    }
    return 'judged';
  }, 300);

  expect(outcome).toEqual({ late: false, value: 'judged' });
  expect(runs).toBe(3);
});

it('gives up as a fault of ours when the CPU never comes', () => {
  expect(() => runWithin(() => stand(60_000), 100)).toThrow('the machine was too busy');
});

it('passes errors and nested limits on', () => {
  expect(() =>
    runWithin(() => {
      throw new RangeError('of the work');
    }, 100),
  ).toThrow(RangeError);
  expect(runWithin(() => runWithin(() => 1, 100), 100)).toEqual({
    late: false,
    value: { late: false, value: 1 },
  });
});
