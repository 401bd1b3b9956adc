import { readdir, readFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { ExpectationSchema } from '../../src/domain/challenge.ts';
import type { Report } from '../../src/domain/report.ts';
import { gradeSample } from '../../src/grading/grade-sample.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const CORPUS = 'tests/corpus/trivial';
const names = (await readdir(CORPUS)).filter((name) => /^\d\d-/.test(name)).toSorted();

describe('hostile and broken services', () => {
  let grading: Grading;
  beforeAll(async () => {
    grading = await openGrading(readConfig());
  });
  afterAll(async () => {
    await grading.close();
  });

  async function grade(name: string): Promise<{ report: Report; differences: string[] }> {
    const { signal } = new AbortController();
    const challenge = await loadChallenge(`${CORPUS}/challenge`);
    const expectation = ExpectationSchema.parse(
      parse(await readFile(`${CORPUS}/${name}/expect.yaml`, 'utf8')),
    );
    const directory = `${CORPUS}/${name}/submission`;
    const submission = await inspectSubmission({ path: directory }, {}, signal);
    const sample = { name: `${name}-${randomUUID()}`, directory, reference: false, expectation };
    return await gradeSample(
      challenge,
      sample,
      submission,
      { ...grading.deps, onProgress: () => {} },
      signal,
    );
  }

  it.each(names)('%s ends in the expected verdict and leaves nothing', async (name) => {
    const { report, differences } = await grade(name);

    expect(differences).toEqual([]);
    expect(report.outcome.status).toBe('completed');
    expect(await listOfRun(report.run.id)).toEqual([]);
  });

  it('tells a memory limit from an ordinary exit, in words', async () => {
    const { report } = await grade('03-eats-memory');

    expect(report.outcome.failure).toMatchObject({ blame: 'limit', exit: { cause: 'oom', oomKilled: true } });
    expect(report.outcome.failure?.message).toContain('128 MiB');
  });

  it('names the process limit when it was met', async () => {
    const { report } = await grade('02-forks-without-end');

    expect(report.outcome.failure?.exit).toMatchObject({ pidsLimitHit: true });
  });

  it('slows a flooder down and says so', async () => {
    const { report } = await grade('04-floods-its-log');

    expect(report.service).toMatchObject({ logThrottled: true, logTruncated: true });
  });
});
