import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadChallenge } from '../../src/challenges/load-challenge.ts';
import { loadSamples } from '../../src/challenges/load-samples.ts';
import { openGrading } from '../../src/compose.ts';
import type { Grading } from '../../src/compose.ts';
import { readConfig } from '../../src/config.ts';
import { gradeSample } from '../../src/grading/grade-sample.ts';
import { makeStageGate } from '../../src/grading/stage-gate.ts';
import { inspectSubmission } from '../../src/intake/inspect-submission.ts';
import { listOfRun } from '../helpers/engine-objects.ts';

const challenge = await loadChallenge('challenge-specs/url-shortener', { profile: 'demo' });
const samples = await loadSamples(challenge);

describe('url-shortener', () => {
  let grading: Grading;
  /** Samples are graded side by side (`maxConcurrency`); load tests still have the machine to themselves. */
  const gate = makeStageGate();
  beforeAll(async () => {
    grading = await openGrading(readConfig());
  });
  afterAll(async () => {
    await grading.close();
  });

  it('ships two references and at least ten broken submissions', () => {
    expect(samples.filter((sample) => sample.reference).length).toBeGreaterThanOrEqual(2);
    expect(samples.filter((sample) => !sample.reference).length).toBeGreaterThanOrEqual(10);
  });

  it.concurrent.each(samples.map((sample) => [sample.name, sample] as const))(
    '%s comes out as expected',
    async (_name, sample) => {
      const { signal } = new AbortController();
      const submission = await inspectSubmission({ path: sample.directory }, {}, signal);

      const graded = await gradeSample(
        challenge,
        sample,
        submission,
        { ...grading.deps, gate, onProgress: () => {} },
        signal,
      );

      expect(graded.differences).toEqual([]);
      if (sample.reference) {
        expect(graded.report.outcome.score).toBe(graded.report.outcome.maxScore);
      }
      expect(await listOfRun(graded.report.run.id)).toEqual([]);
    },
  );
});
