import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { challengeCheckIds, loadChallenge, visibleSuites } from '../../../src/challenges/load-challenge.ts';
import { loadSamples } from '../../../src/challenges/load-samples.ts';
import type { Challenge } from '../../../src/domain/challenge.ts';

const BUNDLE = path.resolve(import.meta.dirname, '../../../challenge-specs/url-shortener');

function read(file: string): string {
  return readFileSync(path.join(BUNDLE, file), 'utf8');
}

function secondsOf(challenge: Challenge): number {
  return (challenge.load?.shape ?? []).reduce((sum, phase) => sum + phase.durationMs / 1000, 0);
}

describe('the challenge url-shortener', () => {
  test('loads, in full and in its short profile', async () => {
    const full = await loadChallenge(BUNDLE);
    const demo = await loadChallenge(BUNDLE, { profile: 'demo' });
    expect(full.suites.length).toBeGreaterThanOrEqual(6);
    expect(secondsOf(full)).toBe(54);
    expect(secondsOf(demo)).toBeLessThan(10);
    expect(demo.digest).toBe(full.digest);
  });

  test('the handout has the visible suite, word for word', async () => {
    const visible = visibleSuites((await loadChallenge(BUNDLE)).suites);
    expect(visible.map((suite) => suite.file)).toEqual(['hidden/api/basics.yaml']);
    // The first line is for the author's editor; what it names is not in the handout.
    const suite = read('hidden/api/basics.yaml').replace(/^# yaml-language-server:.*\n/, '');
    expect(read('handout/visible-tests.yaml')).toBe(suite);
  });

  test('every check is lost by some broken submission', async () => {
    const challenge = await loadChallenge(BUNDLE);
    const samples = await loadSamples(challenge);
    const lost = new Set(
      samples.flatMap(({ expectation }) => [...expectation.loses, ...expectation.mayLose]),
    );
    expect(challengeCheckIds(challenge).filter((id) => !lost.has(id))).toEqual([]);
    expect(samples.filter((sample) => sample.reference).length).toBe(2);
  });

  test('lockfiles name no registry', () => {
    expect(read('submissions/reference-node/package-lock.json')).not.toMatch(
      /"resolved"|https?:\/\/(?!github)/,
    );
  });
});
