import { describe, expect, it } from 'vitest';
import { page } from './lib/page.ts';

it('pages hold every item once', async () => {
  const items: number[] = [];
  for (let from = 0; from < 10; from += 3) {
    items.push(...(await page(from, 3)));
  }
  expect(items).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

describe('an empty page', () => {
  it('has no items', async () => {
    expect(await page(10, 3)).toEqual([]);
  });
});
