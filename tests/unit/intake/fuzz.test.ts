import { describe, expect, test } from 'vitest';
import { FUZZ_SEEDS, fuzz } from '../../helpers/intake-fuzz.ts';

describe('A36: random mutations', () => {
  test.each(Object.keys(FUZZ_SEEDS))('%s', async (format) => {
    const { accepted, refused } = await fuzz(format, { mutants: 150, seed: 1 });
    expect(accepted + refused).toBe(150);
    expect(refused).toBeGreaterThan(50);
  });
});
