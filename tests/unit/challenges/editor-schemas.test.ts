import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { EDITOR_SCHEMA_NAMES, editorSchema } from '../../../src/challenges/editor-schemas.ts';

const ajv = new Ajv2020({ strict: false, allErrors: true });
const validators = Object.fromEntries(
  EDITOR_SCHEMA_NAMES.map((name) => [name, ajv.compile(editorSchema(name))]),
);

function problems(name: string, text: string): string[] {
  const validate = validators[name];
  return validate?.(parse(text)) === true
    ? []
    : (validate?.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const SPECS = 'challenge-specs';
const files = readdirSync(SPECS, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.yaml') && !path.endsWith('openapi.yaml'))
  .flatMap((path): [string, string][] => {
    const text = readFileSync(`${SPECS}/${path}`, 'utf8');
    const header = /^# yaml-language-server: \$schema=(\S+)$/m.exec(text)?.[1];
    return header === undefined ? [] : [[path, header]];
  });

describe('schemas for editors', () => {
  it('stand at the head of the files of shipped challenges', () => {
    expect(files.map(([path]) => path)).toEqual(
      expect.arrayContaining([
        'url-shortener/challenge.yaml',
        'url-shortener/hidden/load.yaml',
        'url-shortener/hidden/api/basics.yaml',
        'url-shortener/submissions/broken-memory-only/expect.yaml',
      ]) as string[],
    );
  });

  it.each(files)('hold for %s', (path, header) => {
    const name = header.split('/').at(-1)?.replace('.json', '') ?? '';
    // Where set-up writes them, seen from the file.
    expect(header).toBe(`${'../'.repeat(path.split('/').length)}.assay/schemas/${name}.json`);
    expect(problems(name, readFileSync(`${SPECS}/${path}`, 'utf8'))).toEqual([]);
  });

  it.each(
    [...readFileSync('graders/api/LANGUAGE.md', 'utf8').matchAll(/^```yaml\n(.*?)^```$/gms)].map((match) => [
      match[1] ?? '',
    ]),
  )('hold for an example of the language: %s', (example) => {
    expect(problems('suite', example)).toEqual([]);
  });

  it('know sequences, tags and the forms of a shape', () => {
    const plan = `
users: [ { name: U, tasks: [ { name: buy, tags: [write], sequence: [ { name: pay, request: POST /pay } ] } ] } ]
tags: [write]
shape: [ { name: noon, spike: { base: 5/s, peak: 50/s, hold: 1s, for: 9s } }, { ramp: { from: 1, to: 5, for: 2s } } ]
thresholds: [ { that: errors < 1% } ]
profiles: { demo: { tags: [write], shape: [ { steps: { from: 1, to: 5, by: 1, each: 1s } } ] } }
`;
    expect(problems('load', plan)).toEqual([]);
    expect(problems('load', plan.replace('peak:', 'paek:'))).not.toEqual([]);
  });

  it.each([
    ['challenge', 'apiVersion: assay/v2', '/apiVersion'],
    ['suite', 'suite: S\ntests: [{ name: t, steps: [{ request: GET /, expct: {} }] }]', '/tests/0/steps/0'],
    ['suite', 'suite: S\ntests: [{ name: t, steps: [{ sleep: 5 }] }]', '/tests/0/steps/0/sleep'],
    [
      'suite',
      'suite: S\ntests: [{ name: t, steps: [{ repeat: 2, steps: [{ nothing: 1 }] }] }]',
      '/tests/0/steps/0/steps/0',
    ],
    ['load', 'users: 5', '/users'],
    ['expect', 'verdict: perfect', '/verdict'],
  ])('refuse what is wrong in %s: %s', (name, text, place) => {
    expect(problems(name, text).some((problem) => problem.startsWith(`${place} `))).toBe(true);
  });
});
