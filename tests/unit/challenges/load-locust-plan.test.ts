import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { challengeCheckIds, loadChallenge } from '../../../src/challenges/load-challenge.ts';
import { SpecError } from '../../../src/domain/errors.ts';
import { planStages } from '../../../src/grading/plan-stages.ts';

const PLAN = `engine: locust
locustfile: hidden/locustfile.py
files: [hidden/data/*.csv]
users: 40
spawnRate: 20/s
runTime: 30s
warmUp: 5s
tags: [read]
thresholds:
  - { that: "p95(follow) < 300ms", points: 10 }
  - { that: "errors < 1%", points: 5, visibility: visible }
profiles:
  demo: { users: 5, runTime: 6s, warmUp: 1s }
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-locust-'));
  await put(
    'challenge.yaml',
    'apiVersion: assay/v1\nslug: x\ntitle: X\nstages: { load: { weight: 1, plan: hidden/load.yaml } }\n',
  );
  await put('hidden/locustfile.py', 'from locust import HttpUser\n');
  await put('hidden/data/words.csv', 'a\n');
  await put('hidden/load.yaml', PLAN);
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function problemsOf(plan: string, profile?: string): Promise<string> {
  await put('hidden/load.yaml', plan);
  const error: unknown = await loadChallenge(folder, profile === undefined ? {} : { profile }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SpecError);
  return (error as SpecError).problems
    .map(({ file, line, path, message, mend }) => `${file}:${line} ${path}: ${message}; ${mend}`)
    .join('\n');
}

describe('a load plan for Locust', () => {
  it('goes to the Locust grader with the files that it names', async () => {
    const challenge = await loadChallenge(folder);
    const [stage] = planStages(challenge, { visibleOnly: false });

    expect(challenge.load).toBeUndefined();
    expect(challengeCheckIds(challenge)).toEqual(['load/p95-follow-300ms', 'load/errors-1']);
    expect(stage).toMatchObject({ name: 'load', exclusive: true, tasks: [{ grader: 'locust' }] });
    expect(stage?.tasks[0]?.files?.map(({ path }) => path)).toEqual([
      'hidden/data/words.csv',
      'hidden/locustfile.py',
    ]);
    expect(stage?.tasks[0]?.plan).toMatchObject({
      users: 40,
      spawnPerSecond: 20,
      runTimeMs: 30_000,
      warmUpMs: 5000,
      thresholds: [{ visibility: 'hidden' }, { visibility: 'visible' }],
    });
  });

  it('takes the sizes of a profile, and the rest of the plan', async () => {
    const { locust } = await loadChallenge(folder, { profile: 'demo' });

    expect(locust?.plan).toMatchObject({ users: 5, spawnPerSecond: 20, runTimeMs: 6000, tags: ['read'] });
  });

  it.each([
    [
      'a missing locustfile',
      PLAN.replace('/locustfile', '/locstfile'),
      /load\.yaml:2 .*did you mean "hidden\/locustfile\.py"/,
    ],
    ['a file outside hidden/', PLAN.replace('hidden/data', 'data'), /load\.yaml:3 .*under hidden\//],
    ['a warm-up without end', PLAN.replace('warmUp: 5s', 'warmUp: 30s'), /nothing would be measured/],
    ['an unknown key', PLAN.replace('tags:', 'tag:'), /load\.yaml:8 .*tag/],
    ['a threshold twice', PLAN.replace('errors < 1%', 'p95(follow) < 300ms'), /the same id/],
    ['an unknown engine', 'engine: k6\nusers: []\n', /load\.yaml:1 .*"assay".*"locust"/],
  ])('%s is a problem with its place', async (_what, plan, expected) => {
    expect(await problemsOf(plan)).toMatch(expected);
  });

  it('names the profiles when there is no such one', async () => {
    expect(await problemsOf(PLAN, 'dmo')).toContain('has no profile "dmo"; profiles: demo');
  });
});
