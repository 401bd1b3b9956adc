import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { loadChallenge } from '../src/challenges/load-challenge.ts';
import { openGrading } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../src/domain/load-plan.ts';
import type { LoadPlan } from '../src/domain/load-plan.ts';
import type { LoadResult } from '../src/domain/report.ts';
import { gradeRun } from '../src/grading/grade-run.ts';
import type { GradeRequest } from '../src/grading/grade-run.ts';
import { decideStartPlan } from '../src/grading/start-plan.ts';
import { inspectSubmission } from '../src/intake/inspect-submission.ts';

const CHALLENGE = 'challenge-specs/url-shortener';
/** The shipped users under a shape that is all about the knee. */
const SHAPE = [
  { warmUp: '3s', users: 10 },
  { arrivalRate: '150/s', for: '5s' },
  {
    findKnee: {
      objective: 'p95 < 100ms and errors < 1%',
      from: '50/s',
      to: '5000/s',
      for: '20s',
      step: '1s',
    },
  },
];
const THRESHOLDS = [{ that: 'knee >= 0.001 x reference' }, { that: 'p95(follow) < 1000 x reference' }];

/** The figures whose spread is of interest, by name. */
type Figures = Record<string, number>;

/** How far the figures of the same submission lie apart from run to run. */
export async function runLoadSpread(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, runs: { type: 'string', default: '10' } },
  });
  const grading = await openGrading(readConfig());
  const measured: Figures[] = [];
  try {
    const request = await prepareRequest();
    while (measured.length < Number(values.runs)) {
      const { report } = await gradeRun(
        { ...request, runId: randomUUID() },
        { ...grading.deps, onProgress: () => {} },
        new AbortController().signal,
      );
      const stage = report.stages.find(({ name }) => name === 'load');
      if (!stage?.load?.knee || !stage.load.reference) {
        throw new Error(
          `the load stage is ${stage?.status}: ${stage?.failure?.message ?? stage?.inconclusive}`,
        );
      }
      measured.push(toFigures(stage.load));
      process.stderr.write(`${JSON.stringify(measured.at(-1))}\n`);
    }
  } finally {
    await grading.close();
  }
  const spread = Object.fromEntries(
    Object.keys(measured[0] ?? {}).map((name) => [
      name,
      spreadOf(measured.map((one) => one[name] ?? Number.NaN)),
    ]),
  );
  process.stdout.write(values.json ? `${JSON.stringify({ runs: measured, spread })}\n` : render(spread));
}

async function prepareRequest(): Promise<Omit<GradeRequest, 'runId'>> {
  const challenge = await loadChallenge(CHALLENGE);
  const submission = await inspectSubmission(
    { path: `${CHALLENGE}/submissions/reference-node` },
    {},
    new AbortController().signal,
  );
  if (!challenge.load) {
    throw new Error(`${CHALLENGE} has no load plan`);
  }
  return {
    epoch: 0,
    seed: 'spread',
    challenge: { ...challenge, load: { ...challenge.load, ...kneePlan(challenge.load) } },
    submission,
    startPlan: decideStartPlan(submission, challenge.file.build.runtimes),
    scope: 'bench',
    selection: { visibleOnly: false, stages: ['load'] },
  };
}

function kneePlan({ file }: LoadPlan): Pick<LoadPlan, 'shape' | 'thresholds'> {
  const users = [{ name: 'User', tasks: [{ name: 'follow', request: 'GET /' }] }];
  const plan = LoadPlanSchema.parse({ users, shape: SHAPE, thresholds: THRESHOLDS });
  const { shape, thresholds } = resolveLoadPlan(file, plan);
  return { shape, thresholds };
}

function toFigures({ knee, reference, relative, total, interference, generator }: LoadResult): Figures {
  return {
    knee: knee?.rate ?? Number.NaN,
    kneeRelative: relative?.knee ?? Number.NaN,
    reference: reference?.requestsPerSecond ?? Number.NaN,
    p95: total.latency?.p95 ?? Number.NaN,
    p95Relative: relative?.total?.p95 ?? Number.NaN,
    othersCpu: interference ?? 0,
    lagP99: generator.schedulingLagP99Ms,
  };
}

function spreadOf(values: readonly number[]): { mean: number; deviation: number; variation: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / Math.max(1, values.length - 1));
  return { mean: rounded(mean), deviation: rounded(deviation), variation: rounded(deviation / mean) };
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function render(spread: Record<string, ReturnType<typeof spreadOf>>): string {
  return [
    'The same submission again and again (mean, standard deviation, coefficient of variation):',
    ...Object.entries(spread).map(
      ([name, { mean, deviation, variation }]) =>
        `  ${name.padEnd(14)}${String(mean).padStart(9)} ${String(deviation).padStart(9)} ${(100 * variation).toFixed(1).padStart(7)} %`,
    ),
    '',
  ].join('\n');
}
