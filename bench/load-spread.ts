import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { loadChallenge } from '../src/challenges/load-challenge.ts';
import { openGrading } from '../src/compose.ts';
import { readConfig } from '../src/config.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../src/domain/load-plan.ts';
import type { LoadPlan } from '../src/domain/load-plan.ts';
import type { Knee } from '../src/domain/load-result.ts';
import type { LoadResult } from '../src/domain/report.ts';
import { gradeRun } from '../src/grading/grade-run.ts';
import type { GradeDeps, GradeRequest } from '../src/grading/grade-run.ts';
import { decideStartPlan } from '../src/grading/start-plan.ts';
import { inspectSubmission } from '../src/intake/inspect-submission.ts';

const CHALLENGE = 'challenge-specs/url-shortener';
/** Not the one in Node: that is quicker than the highest rate that is tried. */
const SUBMISSION = 'reference-python';
/** The shipped users under a shape that is all about the knee. */
const SHAPE = [
  { warmUp: '3s', users: 10 },
  { arrivalRate: '150/s', for: '5s' },
  {
    findKnee: {
      objective: 'p95 < 100ms and errors < 1%',
      from: '50/s',
      to: '20000/s',
      for: '20s',
      step: '1s',
    },
  },
];
const THRESHOLDS = [{ that: 'knee >= 0.001 x reference' }, { that: 'p95(follow) < 1000 x reference' }];

/** The figures whose spread is of interest, by name. */
type Figures = Record<string, number>;

/** One run; with `reason` it could not be measured, or not so that its figures can be trusted. */
interface Run {
  figures?: Figures;
  reason?: string;
}

/** How far the figures of the same submission lie apart from run to run. */
export async function runLoadSpread(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { json: { type: 'boolean' }, runs: { type: 'string', default: '10' } },
  });
  const wanted = Number(values.runs);
  if (!Number.isInteger(wanted) || wanted < 1) {
    throw new Error(`--runs takes a whole number above 0, not "${values.runs}"`);
  }
  const grading = await openGrading(readConfig());
  const runs: Run[] = [];
  try {
    const request = await prepareRequest();
    while (runs.length < wanted) {
      const run = await measureOnce(request, grading.deps);
      runs.push(run);
      process.stderr.write(`run ${runs.length} of ${wanted}: ${JSON.stringify(run)}\n`);
    }
  } finally {
    await grading.close();
  }
  const measured = runs.flatMap(({ figures, reason }) => (figures && reason === undefined ? [figures] : []));
  const spread = Object.fromEntries(
    Object.keys(measured[0] ?? {}).map((name) => [
      name,
      spreadOf(measured.map((one) => one[name] ?? Number.NaN)),
    ]),
  );
  const result = { measured: measured.length, unmeasured: runs.length - measured.length, runs, spread };
  process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : render(result));
}

/** A run that fails is one more finding, not the end of the measurement. */
async function measureOnce(
  request: Omit<GradeRequest, 'runId'>,
  deps: Omit<GradeDeps, 'onProgress'>,
): Promise<Run> {
  const { report } = await gradeRun(
    { ...request, runId: randomUUID() },
    { ...deps, onProgress: () => {} },
    new AbortController().signal,
  );
  const stage = report.stages.find(({ name }) => name === 'load');
  const figures = stage?.load && toFigures(stage.load);
  const reason = stage?.failure?.message ?? stage?.inconclusive ?? report.outcome.failure?.message;
  if (figures === undefined) {
    return { reason: reason ?? 'the load stage has neither knee nor reference' };
  }
  return reason === undefined ? { figures } : { figures, reason };
}

async function prepareRequest(): Promise<Omit<GradeRequest, 'runId'>> {
  const challenge = await loadChallenge(CHALLENGE);
  const submission = await inspectSubmission(
    { path: `${CHALLENGE}/submissions/${SUBMISSION}` },
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

/** Undefined unless there are all of them. */
function toFigures(load: LoadResult): Figures | undefined {
  const { knee, relative, total, interference, generator } = load;
  const p95 = total.latency?.p95;
  const p95Relative = relative?.total?.p95;
  if (
    knee?.reference === undefined ||
    typeof relative?.knee !== 'number' ||
    p95 === undefined ||
    !p95Relative
  ) {
    return undefined;
  }
  return {
    knee: knee.rate,
    kneeRelative: relative.knee,
    reference: knee.reference,
    ...paceOf(knee),
    p95,
    p95Relative,
    othersCpu: interference ?? 0,
    lagP99: generator.schedulingLagP99Ms,
  };
}

/** Between which speeds the machine went while the knee was sought, requests/s of the reference. */
function paceOf({ steps }: Knee): Figures {
  const rates = steps.flatMap(({ reference }) => reference ?? []);
  return { referenceLeast: Math.min(...rates), referenceMost: Math.max(...rates), steps: steps.length };
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

function render(result: {
  measured: number;
  runs: readonly Run[];
  spread: Record<string, ReturnType<typeof spreadOf>>;
}): string {
  const reasons = result.runs.flatMap(({ reason }, index) =>
    reason === undefined ? [] : [`  run ${index + 1}: ${reason}`],
  );
  return [
    `The same submission again and again (mean, standard deviation, coefficient of variation), ${result.measured} of ${result.runs.length} runs:`,
    ...Object.entries(result.spread).map(
      ([name, { mean, deviation, variation }]) =>
        `  ${name.padEnd(14)}${String(mean).padStart(9)} ${String(deviation).padStart(9)} ${(100 * variation).toFixed(1).padStart(7)} %`,
    ),
    ...(reasons.length > 0 ? ['Left out, for they could not be measured:', ...reasons] : []),
    '',
  ].join('\n');
}
