import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { ExpectationSchema } from '../../src/domain/challenge.ts';
import { gradeSample } from '../../src/grading/grade-sample.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const CORPUS = 'tests/corpus/code-suite';
const names = (await readdir(CORPUS)).filter((name) => /^\d\d-/.test(name)).toSorted();

let grading: Grading;
beforeAll(async () => {
  grading = await openGrading(readConfig());
});
afterAll(async () => {
  await grading.close();
});

it.each(names)('a suite of code judges %s, sealed off as any other', async (name) => {
  const { signal } = new AbortController();
  const challenge = await loadChallenge(`${CORPUS}/challenge`);
  const text = await readFile(`${CORPUS}/${name}/expect.yaml`, 'utf8');
  const directory = `${CORPUS}/${name}/submission`;
  const sample = {
    name: `${name}-${randomUUID()}`,
    directory,
    reference: false,
    expectation: ExpectationSchema.parse(parse(text)),
  };
  const submission = await inspectSubmission({ path: directory }, {}, signal);
  const deps = { ...grading.deps, onProgress: () => {} };
  const { report, differences } = await gradeSample(challenge, sample, submission, deps, signal);

  expect(differences).toEqual([]);
  expect(report.outcome.status).toBe('completed');
  const failed = report.stages[0]?.checks.filter((check) => check.status === 'failed') ?? [];
  for (const check of failed) {
    expect(check.evidence?.diff?.join('\n')).toContain('-   9');
    expect(check.evidence?.at).toMatch(/^hidden\/api\/paging\.test\.ts:\d+$/);
  }
  expect(await listOfRun(report.run.id)).toEqual([]);
});
