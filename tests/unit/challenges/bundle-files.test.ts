import { describe, expect, test } from 'vitest';
import { matchBundleFiles } from '../../../src/challenges/bundle-files.ts';

const FILES = [
  'a.yaml',
  'hidden/api/a.yaml',
  'hidden/api/ab.yaml',
  'hidden/api/deep/a.yaml',
  'hidden/apixa.yaml',
];

describe('patterns of suites', () => {
  test.each([
    ['hidden/api/a.yaml', ['hidden/api/a.yaml']],
    ['hidden/api/*.yaml', ['hidden/api/a.yaml', 'hidden/api/ab.yaml']],
    ['hidden/**/a.yaml', ['hidden/api/a.yaml', 'hidden/api/deep/a.yaml']],
    ['**/a.yaml', ['a.yaml', 'hidden/api/a.yaml', 'hidden/api/deep/a.yaml']],
    ['hidden/**', FILES.slice(1)],
    ['hidden/api/a*yaml', ['hidden/api/a.yaml', 'hidden/api/ab.yaml']],
    ['hidden/api/b.yaml', []],
  ])('%s', (pattern, expected) => {
    expect(matchBundleFiles(FILES, pattern)).toEqual(expected);
  });

  test('a dot is a dot', () => {
    expect(matchBundleFiles(['hidden/apixyaml'], 'hidden/api.yaml')).toEqual([]);
  });
});
