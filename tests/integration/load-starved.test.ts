import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { gradeRun } from '../../src/grading/grade-run.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const CHALLENGE = `
apiVersion: assay/v1
slug: starved
title: A service whose load test gets no CPU time
build: { runtimes: [node], network: none }
service: { ready: { path: /health, within: 20s } }
stages: { load: { weight: 1, plan: hidden/load.yaml } }
`;

/** So many requests take several times the CPU time that the generator is to get, on any machine. */
const PLAN = `
timeout: 1s
maxUsers: 300
users: [ { name: U, tasks: [ { name: get, request: GET / } ] } ]
shape: [ { arrivalRate: 4000/s, for: 1s } ]
thresholds: [ { that: "p95(get) < 1ms", points: 5 }, { that: "rps >= 3500/s", points: 5 } ]
`;
const STARVED_CPUS = 0.15;

let grading: Grading;
let folder: string;
beforeAll(async () => {
  grading = await openGrading(readConfig());
  folder = await mkdtemp(join(tmpdir(), 'assay-starved-'));
  await mkdir(join(folder, 'hidden'));
  await writeFile(join(folder, 'challenge.yaml'), CHALLENGE);
  await writeFile(join(folder, 'statement.md'), '# Starved\n');
  await writeFile(join(folder, 'hidden/load.yaml'), PLAN);
});
afterAll(async () => {
  await grading?.close();
  await rm(folder, { recursive: true, force: true });
});

it('a generator that the engine starves of CPU time says so, and no candidate loses by it', async () => {
  const { signal } = new AbortController();
  const challenge = await loadChallenge(folder);
  const submission = await inspectSubmission(
    { path: 'bench/fixtures/trivial/submissions/reference' },
    {},
    signal,
  );
  const { report } = await gradeRun(
    {
      runId: randomUUID(),
      epoch: 0,
      seed: 'starved',
      challenge,
      submission,
      startPlan: decideStartPlan(submission, ['node']),
      scope: 'test',
      selection: { visibleOnly: false },
    },
    {
      ...grading.deps,
      onProgress: () => {},
      loadGrader: async (name) => {
        const grader = await grading.deps.loadGrader(name);
        return { ...grader, limits: { ...grader.limits, cpus: STARVED_CPUS } };
      },
    },
    signal,
  );

  const stage = report.stages.find(({ name }) => name === 'load');
  expect(stage?.status).toBe('inconclusive');
  expect(stage?.inconclusive).toMatch(/The load generator (?:ran late|had no CPU time left|did not come to)/);
  // The thresholds were missed all right; they say nothing about the service.
  expect(stage?.checks.filter(({ status }) => status === 'passed')).toEqual([]);
  expect(report.outcome.verdict).toBe('inconclusive');
  expect(await listOfRun(report.run.id)).toEqual([]);
}, 180_000);
