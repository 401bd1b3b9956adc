import type { Check, GraderEvent, GraderInput } from '../../src/domain/grader-protocol.ts';
import {
  loadPlanBudgetMs,
  needsTurns,
  referenceNeed,
  ResolvedLoadPlanSchema,
} from '../../src/domain/load-plan.ts';
import type { LoadPlan } from '../../src/domain/load-plan.ts';
import type { LoadResult } from '../../src/domain/report.ts';
import { formatMs } from '../../src/domain/units.ts';
import { defaultHeaders } from '../shared/default-headers.ts';
import { emitArtifact } from '../shared/emit-artifact.ts';
import { compilePlan } from './compile-plan.ts';
import { GeneratorHealth } from './health.ts';
import { LoadEngine } from './load-engine.ts';
import { Recorder } from './recorder.ts';
import type { Interval } from './recorder.ts';
import { toLocustCsv } from './locust-csv.ts';
import { asksAgain, toReference } from './reference.ts';
import { judge } from './result.ts';
import type { Judged, Measured } from './result.ts';
import { Sampler } from './sampler.ts';
import { ServiceWatch } from './service-watch.ts';
import type { AskHost } from './service-watch.ts';

/** The grader's side of the protocol, as far as a load test needs it. */
export interface LoadHost {
  emit(event: GraderEvent): Promise<void>;
  ask: AskHost;
}

/**
 * Runs a load plan against the service and hands over checks, metrics and the result document. Returns why the
 * figures cannot be trusted, or undefined. Rejects for a plan that does not fit, never for what the service does.
 */
export async function runLoad(
  input: GraderInput,
  host: LoadHost,
  signal: AbortSignal,
): Promise<string | undefined> {
  const plan = ResolvedLoadPlanSchema.parse(input.plan);
  const budgetMs = loadPlanBudgetMs(plan);
  if (budgetMs > input.deadlineMs) {
    return `The load plan may take ${formatMs(budgetMs)} and the stage has only ${formatMs(input.deadlineMs)}.`;
  }
  if (lacksReference(plan)) {
    return 'The reference service was not measured, and the plan has limits that are multiples of its figures.';
  }
  return await measure(plan, input, host, signal);
}

function lacksReference(plan: LoadPlan): boolean {
  const need = referenceNeed(plan);
  const known = need === 'rate' ? plan.reference?.requestsPerSecond : plan.reference;
  return need !== 'nothing' && known === undefined;
}

async function measure(
  plan: LoadPlan,
  { target, seed }: GraderInput,
  host: LoadHost,
  signal: AbortSignal,
): Promise<string | undefined> {
  const compiled = compilePlan(plan, target, defaultHeaders(seed, 0));
  const startMs = performance.now();
  const recorder = new Recorder(compiled.rowNames.length, startMs);
  const sampler = new Sampler();
  const health = new GeneratorHealth(startMs);
  const watch = new ServiceWatch(host.ask, startMs, plan.serviceCpus);
  const totalS = totalSeconds(plan);
  const engine = new LoadEngine({
    ownsCpu: (plan.serviceCpus ?? []).length > 0,
    plan: compiled,
    shape: plan.shape,
    target,
    seed,
    maxUsers: plan.maxUsers,
    patienceMs: plan.timeoutMs,
    recorder,
    sampler,
    health,
    onSecond: (nowMs, users) => {
      const interval = recorder.closeSecond(nowMs, users);
      watch.readStats();
      void host.emit(toProgress(interval, totalS));
    },
    onBrokenConnection: () => watch.onBrokenConnection(),
    ...(needsTurns(plan) && { takeTurn: async () => await watch.takeTurn() }),
  });
  const run = await engine.run(signal);
  const nowMs = performance.now();
  recorder.closeSecond(nowMs, 0);
  const { facts, inconclusive } = health.finish(nowMs, recorder.total().requests);
  const measured = {
    plan,
    rowNames: compiled.rowNames,
    recorder,
    sampler,
    ...run,
    interference: watch.interference(),
    durationMs: nowMs - startMs,
    seed,
    generator: facts,
    notes: watch.notes,
    usage: watch.series(),
    origin: originOf(target),
  };
  const { checks, result, excuse } = await judgeFairly(measured, host, inconclusive === undefined);
  await report(host, checks, result);
  await emitFiles(host, { plan, rowNames: compiled.rowNames, recorder, startMs, ...run });
  return inconclusive ?? excuse;
}

/** Judges by what the reference reached before the test, and once more by both where it had to be measured again. */
async function judgeFairly(
  measured: Omit<Measured, 'reference' | 'unconfirmed'>,
  host: LoadHost,
  counts: boolean,
): Promise<Judged> {
  const { reference: before } = measured.plan;
  const judged = judge({ ...measured, reference: before, unconfirmed: false });
  if (!before || !counts || !asksAgain(measured.plan, judged.result.thresholds)) {
    return judged;
  }
  const { reference: after } = await host.ask('reference');
  return judge({
    ...measured,
    reference: after ? toReference(before, after) : before,
    unconfirmed: after === undefined,
  });
}

async function report(host: LoadHost, checks: readonly Check[], result: LoadResult): Promise<void> {
  for (const check of checks) {
    await host.emit({ event: 'check', check });
  }
  await host.emit({ event: 'result', result });
}

/** Locust's CSV files, as artifacts. */
async function emitFiles(host: LoadHost, measured: Parameters<typeof toLocustCsv>[0]): Promise<void> {
  for (const [name, text] of Object.entries(toLocustCsv(measured))) {
    const file = { name, contentType: 'text/csv; charset=utf-8', content: Buffer.from(text) };
    await emitArtifact((event) => host.emit(event), file);
  }
}

function originOf({ address, port }: GraderInput['target']): string {
  return `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function totalSeconds({ shape }: LoadPlan): number {
  return Math.round(shape.reduce((sum, phase) => sum + phase.durationMs, 0) / 1000);
}

function toProgress(interval: Interval, totalS: number): GraderEvent {
  const atS = Math.min(totalS, Math.round(interval.atS + interval.lengthS));
  const perSecond = Math.round(interval.requests / interval.lengthS);
  const errors = interval.requests === 0 ? 0 : (100 * interval.failures) / interval.requests;
  return {
    event: 'progress',
    done: atS,
    total: totalS,
    label: `load ${atS}/${totalS} s, ${perSecond} req/s, ${Number(errors.toFixed(1))} % errors`,
  };
}
