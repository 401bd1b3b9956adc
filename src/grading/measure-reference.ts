import { loadPlanBudgetMs, LoadPlanSchema, resolveLoadPlan } from '../domain/load-plan.ts';
import type { ReferenceFigures } from '../domain/load-result.ts';
import { PROTOCOL_VERSION } from '../domain/grader-protocol.ts';
import { LoadResultSchema } from '../domain/report.ts';
import type { LoadResult } from '../domain/report.ts';
import type { Clock } from '../shared/clock.ts';
import { CandidateKeeper } from './candidate-keeper.ts';
import { runSession } from './grader-session.ts';
import type { OnProgress } from './progress.ts';
import { GRADER_GRACE_MS, serviceCpus, serviceCpuset, startGrader } from './start-grader.ts';
import type { GraderContext } from './start-grader.ts';
import type { GraderTask, StagePlan } from './stages/stage-plan.ts';

/** The same for every run: figures of one machine can be compared over time. */
const PLAN = resolveLoadPlan(
  'reference',
  LoadPlanSchema.parse({
    timeout: '5s',
    users: [{ name: 'User', tasks: [{ name: 'work', request: 'GET /work', expect: { status: 200 } }] }],
    shape: [
      { warmUp: '2s', users: 16 },
      { arrivalRate: '300/s', for: '1s' },
    ],
    thresholds: [{ that: 'errors < 1%' }],
  }),
);
const SEED = 'reference';
const READY_WITHIN_MS = 20_000;

interface ReferenceContext extends GraderContext {
  clock: Clock;
  onProgress: OnProgress;
}

/**
 * The task with what its grader is to know of the machine: the CPUs of the service and, where the task asks for it,
 * what the reference service reaches on them right now. A measurement that fails leaves the figures out.
 */
export async function calibrateTask(
  plan: StagePlan,
  task: GraderTask,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<GraderTask> {
  if (task.calibrate === undefined) {
    return task;
  }
  const reference = task.calibrate.reference ? await measure(plan, context, signal) : undefined;
  return {
    ...task,
    plan: {
      ...(task.plan as object),
      serviceCpus: serviceCpus(plan, context),
      ...(reference && { reference }),
    },
  };
}

/** In the pod of the run, before the submission is in it, on its CPUs and within its limits. */
async function measure(
  plan: StagePlan,
  context: ReferenceContext,
  signal: AbortSignal,
): Promise<ReferenceFigures | undefined> {
  const { pod, engine, service, clock } = context;
  context.onProgress({
    kind: 'progress',
    stage: plan.name,
    done: 0,
    total: 0,
    label: 'measuring the machine',
  });
  const task = { grader: 'load', plan: PLAN, deadlineMs: loadPlanBudgetMs(PLAN) };
  const starting = startGrader(plan, task, context, signal);
  starting.catch(() => undefined);
  const { cpus, memory, pids, files, wall } = service.limits;
  const candidate = await pod.startCandidate(
    {
      image: await engine.image('reference', signal),
      command: ['node', 'server.mjs', String(service.port)],
      workdir: '/reference',
      env: {},
      limits: { cpus, memoryBytes: memory, pids, files, wallMs: wall },
      ...serviceCpuset(plan, context),
    },
    signal,
  );
  const rule = { port: service.port, path: '/', withinMs: READY_WITHIN_MS };
  const keeper = new CandidateKeeper(pod, candidate, rule, clock);
  try {
    const readiness = await keeper.ready(signal);
    if (readiness.kind !== 'ready') {
      return undefined;
    }
    const target = { address: readiness.address, port: service.port };
    const { deadlineMs } = task;
    const input = {
      v: PROTOCOL_VERSION,
      stage: plan.name,
      target,
      seed: SEED,
      deadlineMs,
      plan: { ...PLAN, serviceCpus: serviceCpus(plan, context) },
    } as const;
    const session = { input, keeper, onProgress: () => undefined, graceMs: GRADER_GRACE_MS };
    const { result, inconclusive } = await runSession(await starting, session, signal);
    const load = LoadResultSchema.safeParse(result);
    return load.success && inconclusive === undefined ? toFigures(load.data) : undefined;
  } finally {
    await Promise.allSettled([candidate.remove(), starting.then((grader) => grader.kill())]);
  }
}

/** Saturation shows in the second half of the warm-up, when the service's own compiler is done. */
function toFigures({ total, series, phases }: LoadResult): ReferenceFigures | undefined {
  const points = series.find(({ name }) => name === 'rps')?.points ?? [];
  const warmUpS = phases[0]?.toS ?? 0;
  const rates = points
    .filter(([atS]) => atS >= warmUpS * 0.4 && atS < warmUpS * 0.75)
    .map(([, rate]) => rate);
  const requestsPerSecond = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  return total.latency && total.failures === 0 && requestsPerSecond > 0
    ? { latency: total.latency, requestsPerSecond: Math.round(requestsPerSecond * 10) / 10 }
    : undefined;
}
