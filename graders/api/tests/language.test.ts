import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { MATCHER_NAMES } from '../../../src/domain/api-suite-matcher.ts';
import { RANDOM_KINDS } from '../../../src/domain/api-suite-template.ts';
import { API_SUITE_KEYS, ApiSuiteSchema } from '../../../src/domain/api-suite.ts';

const text = readFileSync(new URL('../LANGUAGE.md', import.meta.url), 'utf8');
const examples = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => match[1] ?? '');

describe('LANGUAGE.md', () => {
  it.each(examples.map((example) => [/suite: (.*?)(?: {2,}#|\n)/.exec(example)?.[1] ?? '?', example]))(
    'has an example that is a suite: %s',
    (_name, example) => {
      const parsed = ApiSuiteSchema.safeParse(parse(example));
      expect(
        parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
      ).toBeUndefined();
    },
  );

  it('shows every key, matcher and random value of the language', () => {
    expect(examples.length).toBeGreaterThan(8);
    const yaml = examples.join('\n');
    const words = new Set(yaml.match(/\$?[A-Za-z]+/g));
    const matchersShown = new Set(text.match(/\$[a-z][A-Za-z]*/g));
    expect(
      API_SUITE_KEYS.filter(
        (key) => !words.has(key) && !text.includes(`\`${key}\``) && !text.includes(`${key}:`),
      ),
    ).toEqual([]);
    expect(MATCHER_NAMES.filter((name) => !matchersShown.has(name))).toEqual([]);
    expect(RANDOM_KINDS.filter((kind) => !text.includes(`random.${kind}`))).toEqual([]);
  });
});
