import { describe, expect, test } from 'vitest';
import { excuseFor } from '../excuse.ts';

function missed(that: string, actual: number, limit: number, unit: string) {
  return { that, ok: false, actual: 1, limit: 1, unit: 'x', raw: { actual, limit, unit } };
}

describe('a limit relative to the reference that was missed', () => {
  test.each([
    ['by what others may have cost', missed('p95 < 9 x reference', 120, 90, 'ms'), 0.2, true],
    ['by more than that', missed('p95 < 9 x reference', 140, 90, 'ms'), 0.2, false],
    ['while nobody else used the CPU', missed('p95 < 9 x reference', 91, 90, 'ms'), 0.05, false],
    ['where nobody knows what others used', missed('p95 < 9 x reference', 91, 90, 'ms'), null, false],
    ['by a rate that others lowered', missed('rps > 0.5 x reference', 70, 100, '/s'), 0.2, true],
    ['by a rate far too low', missed('rps > 0.5 x reference', 60, 100, '/s'), 0.2, false],
    ['by a knee that others hid', missed('knee >= 0.1 x reference', 0, 100, '/s'), 0.6, true],
    ['by a knee that others could not hide', missed('knee >= 0.1 x reference', 0, 100, '/s'), 0.4, false],
  ])('%s', (_how, threshold, interference, excused) => {
    const excuse = excuseFor([threshold], interference, 100);
    expect(excuse !== undefined).toBe(excused);
    if (excused) {
      expect(excuse).toContain(`which may be why "${threshold.that}" did not hold`);
    }
  });

  test('is no matter when it is in plain figures, or held', () => {
    const { raw: _none, ...plain } = missed('p95 < 90ms', 91, 90, 'ms');
    expect(
      excuseFor([plain, { ...missed('p95 < 9 x reference', 1, 9, 'ms'), ok: true }], 0.9),
    ).toBeUndefined();
  });
});
