import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import type { Reference } from '../../src/domain/load-result.ts';
import type { Report } from '../../src/domain/report.ts';
import { gradeRun } from '../../src/grading/grade-run.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const CHALLENGE = `
apiVersion: assay/v1
slug: relative
title: A load test with limits relative to the reference
build: { runtimes: [node], network: none }
service: { ready: { path: /, within: 20s } }
stages: { load: { weight: 1, plan: hidden/load.yaml } }
`;
const PLAN = `
users: [ { name: U, tasks: [ { name: get, request: GET / } ] } ]
shape:
  - { users: 2, for: 500ms }
  - { findKnee: { objective: "errors < 1%", from: 500/s, to: 2000/s, for: 4s, step: 300ms } }
thresholds:
  - { that: "knee >= 0.0001 x reference", points: 5 }
  - { that: "rps >= 0.0001 x reference", points: 5 }
`;
const SERVICE = `
console.log('up');
require('node:http').createServer((request, response) => response.end('ok')).listen(process.env.PORT);
`;

let grading: Grading;
let folder: string;
beforeAll(async () => {
  grading = await openGrading(readConfig());
  folder = await mkdtemp(join(tmpdir(), 'assay-relative-'));
  await mkdir(join(folder, 'hidden'));
  await mkdir(join(folder, 'submission'));
  await writeFile(join(folder, 'challenge.yaml'), CHALLENGE);
  await writeFile(join(folder, 'statement.md'), '# Relative\n');
  await writeFile(join(folder, 'hidden/load.yaml'), PLAN);
  await writeFile(join(folder, 'submission/server.js'), SERVICE);
});
afterAll(async () => {
  await grading?.close();
  await rm(folder, { recursive: true, force: true });
});

async function grade(): Promise<{ report: Report; labels: string[] }> {
  const { signal } = new AbortController();
  const challenge = await loadChallenge(folder);
  const submission = await inspectSubmission({ path: join(folder, 'submission') }, {}, signal);
  const labels: string[] = [];
  const { report } = await gradeRun(
    {
      runId: randomUUID(),
      epoch: 0,
      seed: 'relative',
      challenge,
      submission,
      startPlan: decideStartPlan(submission, ['node']),
      scope: 'test',
      selection: { visibleOnly: false },
    },
    { ...grading.deps, onProgress: (event) => void (event.kind === 'progress' && labels.push(event.label)) },
    signal,
  );
  return { report, labels };
}

/** Both measurements and their mean. */
function ratesOf({ before, after, requestsPerSecond }: Reference): [number, number, number] {
  const none = Number.NaN;
  return [before?.requestsPerSecond ?? none, after?.requestsPerSecond ?? none, requestsPerSecond ?? none];
}

it('a rate is compared with the reference before and after the test, a knee with it in turns', async () => {
  const { report, labels } = await grade();

  const stage = report.stages.find(({ name }) => name === 'load');
  const { reference, relative, knee } = stage?.load ?? {};
  if (!reference || !relative || !knee) {
    throw new Error(`not measured: ${JSON.stringify(report.outcome)}`);
  }
  const [before, after, mean] = ratesOf(reference);
  expect(Math.min(before, after)).toBeGreaterThan(0);
  expect(mean / Math.sqrt(before * after)).toBeCloseTo(1, 3);
  expect(reference.after?.latency).not.toEqual(reference.before?.latency);
  const turns = knee.steps.map((step) => step.reference ?? Number.NaN);
  expect(Math.min(...turns)).toBeGreaterThan(0);
  expect(knee.reference).toBeGreaterThanOrEqual(Math.min(...turns) - 1);
  expect(knee.reference).toBeLessThanOrEqual(Math.max(...turns) + 1);
  expect(Math.abs((relative.knee ?? Number.NaN) - knee.rate / (knee.reference ?? 0))).toBeLessThan(0.001);
  // Held still in between, the service answers again, and its turns are not taken for others' work.
  expect(knee.steps.some(({ ok }) => ok)).toBe(true);
  const lastLoad = labels.findLastIndex((label) => label.startsWith('load '));
  expect(labels.lastIndexOf('measuring the machine again')).toBeGreaterThan(lastLoad);

  // The service was ended for it: neither a crash nor a loss of what it had printed.
  expect(stage).toMatchObject({ crashes: 0, checks: [{ status: 'passed' }, { status: 'passed' }] });
  expect(report.outcome.failure).toBeUndefined();
  expect(report.service?.log).toContain('up');
  expect(await listOfRun(report.run.id)).toEqual([]);
}, 180_000);
