import { randomUUID } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportLocustfile } from '../../src/challenges/export-locustfile.ts';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../src/domain/load-plan.ts';
import type { StageReport } from '../../src/domain/report.ts';
import { gradeRun } from '../../src/grading/grade-run.ts';
import type { GradedRun } from '../../src/grading/grade-run.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const SHORTENER = 'challenge-specs/url-shortener';
const THRESHOLDS = `
thresholds:
  - { that: "p95(follow) < 2s", points: 1 }
  - { that: "errors < 1%", points: 1 }
`;

/** A user with a sequence, beside those of the challenge. */
const MORE = {
  users: [
    {
      name: 'Maker',
      waitTime: { constant: '100ms' },
      tasks: [
        {
          name: 'make and use',
          tags: ['write'],
          sequence: [
            {
              name: 'make',
              request: 'POST /links',
              json: { url: 'https://example.com/${random.slug}' },
              expect: { status: 201 },
              capture: { made: '$.code' },
            },
            { name: 'use', request: 'GET /${made}', expect: { status: 302 } },
          ],
        },
      ],
    },
  ],
  shape: [{ users: 1, for: '1s' }],
  thresholds: [{ that: 'errors < 1%' }],
};

let grading: Grading;
let folder: string;
beforeAll(async () => {
  grading = await openGrading(readConfig());
  folder = await mkdtemp(join(tmpdir(), 'assay-locust-'));
  for (const name of ['challenge.yaml', 'openapi.yaml', 'statement.md', 'hidden']) {
    await cp(join(SHORTENER, name), join(folder, name), { recursive: true });
  }
});
afterAll(async () => {
  await grading?.close();
  await rm(folder, { recursive: true, force: true });
});

/** Grades the reference with a load plan for Locust, its load stage alone. */
async function load(plan: string, locustfile: string): Promise<GradedRun & { stage: StageReport }> {
  await writeFile(
    join(folder, 'hidden/load.yaml'),
    `engine: locust\nlocustfile: hidden/locustfile.py\n${plan}`,
  );
  await writeFile(join(folder, 'hidden/locustfile.py'), locustfile);
  const { signal } = new AbortController();
  const challenge = await loadChallenge(folder);
  const submission = await inspectSubmission(
    { path: join(SHORTENER, 'submissions/reference-node') },
    {},
    signal,
  );
  const graded = await gradeRun(
    {
      runId: randomUUID(),
      epoch: 0,
      seed: 'locust',
      challenge,
      submission,
      startPlan: decideStartPlan(submission, ['node']),
      scope: 'test',
      selection: { visibleOnly: false, stages: ['load'] },
    },
    { ...grading.deps, onProgress: () => {} },
    signal,
  );
  const stage = graded.report.stages.find(({ name }) => name === 'load');
  if (!stage) {
    throw new Error('the report has no load stage');
  }
  expect(await listOfRun(graded.report.run.id)).toEqual([]);
  return { ...graded, stage };
}

function artifact({ artifacts }: GradedRun, name: string): string {
  return artifacts.find((one) => one.name === name)?.content.toString() ?? '';
}

describe('the load stage by Locust', () => {
  it('repeats an exported plan: the same tasks, no failures, the files of Locust', async () => {
    const plan = (await loadChallenge(SHORTENER, { profile: 'demo' })).load;
    if (!plan) {
      throw new Error('the challenge has no load plan');
    }
    const users = [...plan.users, ...resolveLoadPlan('more.yaml', LoadPlanSchema.parse(MORE)).users];

    const run = await load(
      `runTime: 20s${THRESHOLDS}`,
      exportLocustfile('URL shortener', { ...plan, users }),
    );

    expect(run.stage.failure).toBeUndefined();
    const result = run.stage.load;
    expect(result?.total).toMatchObject({ failures: 0, errors: [] });
    expect(result?.total.requests).toBeGreaterThan(100);
    expect(result?.tasks.map(({ name }) => name).toSorted()).toEqual([
      'create',
      'follow',
      'list',
      'make',
      'prepare',
      'show',
      'use',
    ]);
    // Users that are stopped may be in the middle of one.
    const [made, used] = ['make', 'use'].map(
      (row) => result?.tasks.find(({ name }) => name === row)?.requests,
    );
    expect(made).toBeGreaterThan(5);
    expect(used).toBeGreaterThan((made ?? 0) / 2);
    expect(used).toBeLessThanOrEqual(made ?? 0);
    // The shape ends the test, long before the run time does.
    expect(result?.durationMs).toBeLessThan(19_000);
    expect(
      Math.max(...(result?.series.find(({ name }) => name === 'users')?.points ?? []).map(([, n]) => n)),
    ).toBe(100);
    expect(result?.series.map(({ name }) => name)).toContain('candidate.memory');
    expect(artifact(run, 'locust_stats.csv')).toMatch(/^Type,Name,Request Count,Failure Count,Median/);
    expect(artifact(run, 'locust_stats.csv')).toContain('GET,follow,');
    expect(artifact(run, 'locust_stats_history.csv')).toContain('Aggregated');
    expect(artifact(run, 'locust.html')).toContain('</html>');
  }, 300_000);

  it('blames a locustfile that does not run on the challenge, with its traceback', async () => {
    const run = await load(`users: 1\nrunTime: 5s${THRESHOLDS}`, 'from locust import HttpUsr\n');

    expect(run.stage).toMatchObject({ status: 'errored', failure: { code: 'SPEC_BROKEN', blame: 'spec' } });
    expect(run.stage.failure?.message).toContain("cannot import name 'HttpUsr'");
    expect(run.stage.failure?.log).toContain('locustfile.py", line 1');
    expect(run.report.outcome.verdict).not.toBe('failed');
  }, 300_000);

  it('shares users between processes and sums up what they saw, failures and exceptions too', async () => {
    const run = await load(
      `users: 5\nrunTime: 4s\nprocesses: 2${THRESHOLDS}`,
      `from locust import FastHttpUser, HttpUser, constant, task

class Reader(FastHttpUser):
    wait_time = constant(0.1)
    @task
    def follow(self):
        self.client.get("/nothing-here", name="follow")

class Admin(HttpUser):
    fixed_count = 1
    wait_time = constant(0.1)
    @task
    def list(self):
        self.client.get("/links", name="list")
        raise KeyError("planted")
`,
    );

    expect(run.stage.failure).toBeUndefined();
    const result = run.stage.load;
    expect(result?.tasks.map(({ name }) => name)).toEqual(['follow', 'list']);
    expect(result?.tasks[0]).toMatchObject({ latency: null, failures: result?.tasks[0]?.requests });
    expect(result?.tasks[1]?.failures).toBe(0);
    expect(result?.remarks?.join(' ')).toMatch(/2 processes.*KeyError\('planted'\)/);
    expect(
      Math.max(...(result?.series.find(({ name }) => name === 'users')?.points ?? []).map(([, n]) => n)),
    ).toBe(5);
    expect(run.artifacts.map(({ name }) => name)).toContain('locust-2_stats.csv');
    const failed = run.stage.checks.find(({ name }) => name === 'errors < 1%');
    expect(failed?.evidence?.exchanges?.[0]).toMatchObject({
      request: { method: 'GET' },
      response: { status: 404 },
    });
  }, 300_000);
});
