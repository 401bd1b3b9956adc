import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { challengeCheckIds, loadChallenge, visibleSuites } from '../../../src/challenges/load-challenge.ts';
import { loadSamples } from '../../../src/challenges/load-samples.ts';
import { decideStartPlan } from '../../../src/grading/start-plan.ts';
import { submissionOf } from '../../helpers/canonical-submission.ts';

const BUNDLE = path.resolve(import.meta.dirname, '../../../challenge-specs/inventory');

function read(file: string): string {
  return readFileSync(path.join(BUNDLE, file), 'utf8');
}

describe('the challenge inventory', () => {
  test('loads, with at least 30 hidden checks in at least 5 suites, and offers PostgreSQL', async () => {
    const challenge = await loadChallenge(BUNDLE, { profile: 'demo' });
    const hidden = challenge.suites.flatMap(({ tests }) =>
      tests.filter((one) => one.visibility === 'hidden'),
    );
    expect(hidden.length).toBeGreaterThanOrEqual(30);
    expect(challenge.suites.length).toBeGreaterThanOrEqual(5);
    expect(challenge.file.service.uses).toEqual(['postgres']);
  });

  test('the handout has the visible suite, word for word', async () => {
    const visible = visibleSuites((await loadChallenge(BUNDLE)).suites);
    expect(visible.map((suite) => suite.file)).toEqual(['hidden/api/basics.yaml']);
    expect(read('handout/visible-tests.yaml')).toBe(read('hidden/api/basics.yaml'));
  });

  test('every check is lost by some broken submission, but for a few that are known', async () => {
    const challenge = await loadChallenge(BUNDLE);
    const samples = await loadSamples(challenge);
    const lost = new Set(
      samples.flatMap(({ expectation }) => [...expectation.loses, ...expectation.mayLose]),
    );
    expect(challengeCheckIds(challenge).filter((id) => !lost.has(id))).toEqual([
      // A service that fails these two does not start, or fails nearly everything.
      'basics/the-service-says-that-it-is-ready',
      'basics/an-item-can-be-looked-up',
    ]);
    expect(samples.filter((sample) => sample.reference).map(({ name }) => name)).toEqual([
      'reference-go',
      'reference-python',
    ]);
    expect(samples.filter((sample) => sample.name.startsWith('broken-')).length).toBeGreaterThanOrEqual(10);
  });

  test.each(['node', 'python', 'go'] as const)('the starter for %s can be handed in as it is', (runtime) => {
    const folder = `handout/starter-${runtime}`;
    const names = readdirSync(path.join(BUNDLE, folder));
    const files = Object.fromEntries(names.map((name) => [name, read(`${folder}/${name}`)]));
    expect(decideStartPlan(submissionOf(files), [runtime]).runtime).toBe(runtime);
  });

  test('lockfiles name no registry', () => {
    const lock = read('submissions/third-party-json-server/package-lock.json');
    expect(lock).not.toMatch(/"resolved"/);
  });
});
