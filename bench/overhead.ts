import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadChallenge } from '../src/challenges/load-challenge.ts';
import { openGrading } from '../src/compose.ts';
import type { Grading } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { gradeRun } from '../src/grading/grade-run.ts';
import type { GradeRequest } from '../src/grading/grade-run.ts';
import { decideStartPlan } from '../src/grading/start-plan.ts';
import { inspectSubmission } from '../src/intake/inspect-submission.ts';
import { makeByHand } from './by-hand.ts';

/** Runs at once that are tried for the throughput of each way; the best counts. */
const PARALLELISM = [1, 2, 4, 8];
const THROUGHPUT_RUNS = 16;

type Work = () => Promise<unknown>;

/**
 * What a run costs by itself: a cached build, a trivial service, five checks, no load; against the same containers
 * made by hand with raw engine calls. Ways alternate run by run, so that a slow minute of the machine meets all.
 */
export async function runOverhead(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, runs: { type: 'string', default: '15' } },
  });
  const config = readConfig();
  const cold = await openGrading({ ...config, warmPods: 0 });
  const pooled = await openGrading({ ...config, warmPods: 2 });
  try {
    const request = await prepareRequest();
    const assay = makeGrade(cold, request);
    const assayPooled = makeGrade(pooled, request);
    const byHand = await makeByHand(cold, await buildOnce(cold, request));
    const ways = { assay, assayPooled, byHand };
    const times = await alternate(ways, Number(values.runs));
    const result = {
      assay: summary(times.assay),
      assayPooled: summary(times.assayPooled),
      byHand: summary(times.byHand),
      runsPerMinute: { assay: await bestThroughput(assayPooled), byHand: await bestThroughput(byHand) },
      cpus: availableParallelism(),
    };
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : render(result));
  } finally {
    await Promise.all([cold.close(), pooled.close()]);
  }
}

async function prepareRequest(): Promise<Omit<GradeRequest, 'runId'>> {
  const challenge = await loadChallenge('bench/fixtures/trivial');
  const { signal } = new AbortController();
  const submission = await inspectSubmission(
    { path: 'bench/fixtures/trivial/submissions/reference' },
    {},
    signal,
  );
  const startPlan = decideStartPlan(submission, challenge.file.build.runtimes);
  return {
    epoch: 0,
    seed: 'bench',
    challenge,
    submission,
    startPlan,
    scope: 'bench',
    selection: { visibleOnly: false },
  };
}

function makeGrade(grading: Grading, request: Omit<GradeRequest, 'runId'>): Work {
  return async () => {
    const deps = { ...grading.deps, onProgress: () => {} };
    const { report } = await gradeRun(
      { ...request, runId: randomUUID() },
      deps,
      new AbortController().signal,
    );
    if (report.outcome.verdict !== 'passed') {
      throw new Error(`the trivial service did not pass: ${report.outcome.summary}`);
    }
  };
}

/** Fills the build cache and answers the image that all ways run. */
async function buildOnce(grading: Grading, request: Omit<GradeRequest, 'runId'>): Promise<string> {
  const deps = { ...grading.deps, onProgress: () => {} };
  const { report } = await gradeRun({ ...request, runId: randomUUID() }, deps, new AbortController().signal);
  const image = report.environment.images['submission'];
  if (image === undefined) {
    throw new Error(`the trivial service was not built: ${report.outcome.summary}`);
  }
  return image;
}

/** Times each way `runs` times in turn, ms. */
async function alternate<K extends string>(
  ways: Record<K, Work>,
  runs: number,
): Promise<Record<K, number[]>> {
  const names = Object.keys(ways) as K[];
  const times = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<K, number[]>;
  for (const name of names) {
    await ways[name]();
  }
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) {
      const began = performance.now();
      await ways[name]();
      times[name].push(performance.now() - began);
      // Lets the pool refill and the engine settle: the next way must not pay for this one.
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
  }
  return times;
}

/** Runs per minute at the best of several parallelisms. */
async function bestThroughput(work: Work): Promise<number> {
  let best = 0;
  for (const parallel of PARALLELISM) {
    const began = performance.now();
    let left = THROUGHPUT_RUNS;
    async function lane(): Promise<void> {
      while (left > 0) {
        left -= 1;
        await work();
      }
    }
    await Promise.all(Array.from({ length: parallel }, lane));
    best = Math.max(best, (THROUGHPUT_RUNS * 60_000) / (performance.now() - began));
  }
  return Math.round(best * 10) / 10;
}

function summary(times: number[]): { p50Ms: number; minMs: number; maxMs: number } {
  const sorted = times.toSorted((a, b) => a - b);
  const p50 = sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
  return { p50Ms: Math.round(p50), minMs: Math.round(sorted[0] ?? 0), maxMs: Math.round(sorted.at(-1) ?? 0) };
}

interface Result {
  assay: { p50Ms: number };
  assayPooled: { p50Ms: number };
  byHand: { p50Ms: number };
  runsPerMinute: { assay: number; byHand: number };
}

function render({ assay, assayPooled, byHand, runsPerMinute }: Result): string {
  const ratio = (runsPerMinute.assay / runsPerMinute.byHand).toFixed(2);
  return [
    'One run of a trivial service, five checks, build cached (median):',
    `  assay            ${assay.p50Ms} ms  (${assay.p50Ms - byHand.p50Ms} ms more than by hand)`,
    `  assay, warm pods ${assayPooled.p50Ms} ms`,
    `  by hand          ${byHand.p50Ms} ms`,
    'Runs per minute at the best parallelism of each:',
    `  assay ${runsPerMinute.assay}, by hand ${runsPerMinute.byHand}: ratio ${ratio}`,
    '',
  ].join('\n');
}
