import { expect } from 'vitest';
import type { Challenge } from '../../src/domain/challenge.ts';
import { gradeRun } from '../../src/grading/grade-run.ts';
import type { GradedRun, GradeDeps } from '../../src/grading/grade-run.ts';
import { loadGrader } from '../../src/grading/graders.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { makeFakeEngine } from '../../src/sandbox/fake/fake-engine.ts';
import type { FakeScript } from '../../src/sandbox/fake/fake-script.ts';
import type { SandboxEngine } from '../../src/sandbox/sandbox-engine.ts';
import { systemClock } from '../../src/shared/clock.ts';
import { submissionOf } from './canonical-submission.ts';

const { tar } = submissionOf({
  'package.json': '{"scripts":{"start":"node server.js"}}',
  'server.js': 'server',
});

/** A submission that a scripted engine can be said to run. */
export const SUBMISSION = { digest: 'sha256:x', tar, files: [], notices: [] };

/** What grading needs beside the engine. */
export function fakeDeps(engine: SandboxEngine): GradeDeps {
  return {
    engine,
    clock: systemClock,
    version: '0',
    registriesDigest: () => Promise.resolve(''),
    loadGrader: (name: string) => loadGrader('.', name),
    onProgress: () => {},
  };
}

/** Grades on a scripted engine and asserts that nothing is left open. */
export async function gradeOnFake(
  challenge: Challenge,
  script: FakeScript,
  signal = new AbortController().signal,
): Promise<GradedRun> {
  const engine = makeFakeEngine(script);
  const request = {
    runId: 'run',
    epoch: 0,
    seed: 'seed',
    challenge,
    submission: SUBMISSION,
    startPlan: decideStartPlan(SUBMISSION, ['node']),
    scope: 'test',
    selection: { visibleOnly: false },
  };
  const graded = await gradeRun(request, fakeDeps(engine), signal);
  expect(engine.openPods).toBe(0);
  return graded;
}
