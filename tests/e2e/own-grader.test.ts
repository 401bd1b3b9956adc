import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import type { Sample } from '../../src/challenges/load-samples.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import type { Challenge } from '../../src/domain/challenge.ts';
import type { Report } from '../../src/domain/report.ts';
import { gradeSample } from '../../src/grading/grade-sample.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const challenge = await loadChallenge('tests/corpus/own-grader/challenge');

let grading: Grading;
beforeAll(async () => {
  grading = await openGrading(readConfig());
});
afterAll(async () => {
  await grading.close();
});

async function grade(submission: string, image: string): Promise<Report> {
  const { signal } = new AbortController();
  const directory = `tests/corpus/code-suite/${submission}/submission`;
  const named: Challenge = {
    ...challenge,
    custom: (challenge.custom ?? []).map((grader) => ({ ...grader, image })),
  };
  const sample: Sample = {
    name: `own-${randomUUID()}`,
    directory,
    reference: false,
    expectation: { verdict: 'passed', loses: [], mayLose: [] },
  };
  const { report } = await gradeSample(
    named,
    sample,
    await inspectSubmission({ path: directory }, {}, signal),
    { ...grading.deps, onProgress: () => {} },
    signal,
  );
  expect(await listOfRun(report.run.id)).toEqual([]);
  return report;
}

it.each([
  ['01-pages', 'passed', 'passed', ''],
  ['02-last-page-missing', 'partial', 'failed', 'there are 9 items'],
])('an image of the author’s own judges %s by JUnit XML', async (submission, verdict, status, message) => {
  // Any image that the engine has will do; this one is there.
  const image = await grading.deps.engine.image('grader', new AbortController().signal);
  const { outcome, stages } = await grade(submission, image);

  expect(outcome.verdict).toBe(verdict);
  expect(stages[0]?.checks).toMatchObject([
    { id: 'pages/hold-every-item-once', status, message, maxPoints: 3, skill: 'engineering' },
    { id: 'pages/the-plan-is-empty', status: 'passed', maxPoints: 1 },
  ]);
});

it('an image that the engine lacks is the challenge’s fault, with the mend', async () => {
  await expect(grade('01-pages', 'team/not-there:1')).rejects.toMatchObject({
    code: 'GRADER_IMAGE_MISSING',
    blame: 'spec',
    mend: expect.stringContaining('docker pull team/not-there:1') as string,
  });
});
