import { describe, expect, test } from 'vitest';
import { didYouMean } from '../../../src/challenges/did-you-mean.ts';

describe('did you mean', () => {
  test.each([
    ['expekt', 'expect'],
    ['EXPECT', 'expect'],
    ['tetss', 'tests'],
    ['stepps', 'steps'],
    ['vibility', 'visibility'],
  ])('%s → %s', (word, expected) => {
    expect(didYouMean(word, ['expect', 'tests', 'steps', 'visibility'])).toBe(expected);
  });

  test('swapped neighbours count as one slip', () => {
    expect(didYouMean('nmae', ['nodes', 'name'])).toBe('name');
  });

  test('says nothing rather than guessing wildly', () => {
    expect(didYouMean('colour', ['weight', 'suites'])).toBeUndefined();
    expect(didYouMean('x', [])).toBeUndefined();
  });
});
