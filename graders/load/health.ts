import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { LoadResult } from '../../src/domain/report.ts';
import { busyMs, ownCpus } from './cpu-watch.ts';
import { LatencyHistogram } from './latency-histogram.ts';

export type GeneratorFacts = LoadResult['generator'];

/** Limits past which the generator does not trust its own figures. */
const MAX_LAG_P99_MS = 50;
const MAX_CPU_RATIO = 0.95;
/** What was taken off the times of answers is a guess; past this much it may hide a service that is slow. */
const MAX_UNSEEN_P99_MS = 15;
/** Lag that together with a full CPU says the generator was the bottleneck. */
const BUSY_LAG_P99_MS = 10;
const MAX_OWN_FAILURE_RATIO = 0.001;
const MAX_DROPPED_RATIO = 0.001;

const LOOP_RESOLUTION_MS = 10;
const NANOSECONDS_PER_MS = 1e6;

/**
 * Watches the generator itself. Lag is the time between the planned moment and the scheduler's turn at it; it
 * never holds the wait for a free connection, so that a slow service cannot raise it.
 */
export class GeneratorHealth {
  readonly #lag = new LatencyHistogram();
  readonly #unseen = new LatencyHistogram();
  readonly #loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS });
  #cpu = process.cpuUsage();
  readonly #cpus = ownCpus();
  readonly #busyMs = busyMs(this.#cpus);
  readonly #startMs: number;
  #idleMs = 0;
  #ownFailures = 0;
  #dropped = 0;

  constructor(nowMs: number) {
    this.#startMs = nowMs;
    this.#loop.enable();
  }

  recordLag(ms: number): void {
    this.#lag.record(ms);
  }

  /** An answer came at some time while this side could not look for it: half of that time. */
  recordUnseen(ms: number): void {
    this.#unseen.record(ms);
  }

  /** It was awake and had nothing to do: CPU time that it could have spared. */
  recordIdle(ms: number): void {
    this.#idleMs += ms;
  }

  /** A request failed for want of something on our side: descriptors, ports, memory. */
  recordOwnFailure(): void {
    this.#ownFailures += 1;
  }

  /** Arrivals whose phase was over before the scheduler came to them. */
  recordDropped(count: number): void {
    this.#dropped += count;
  }

  /** Ends the watch. `requests` is how many were wanted in all. */
  finish(nowMs: number, requests: number): { facts: GeneratorFacts; inconclusive: string | undefined } {
    this.#loop.disable();
    const { user, system } = process.cpuUsage(this.#cpu);
    const wallMs = Math.max(1, nowMs - this.#startMs);
    // The monitor measures from timer to timer: its own resolution is part of every value.
    const loopMs = this.#loop.percentile(99) / NANOSECONDS_PER_MS - LOOP_RESOLUTION_MS;
    const ownMs = (user + system) / 1000;
    const facts = {
      schedulingLagP99Ms: rounded(this.#lag.percentileMs(99)),
      cpuRatio: rounded(Math.max(0, ownMs - this.#idleMs) / wallMs),
      eventLoopDelayP99Ms: rounded(Math.max(0, loopMs)),
      // Nobody looked for answers: each came as it was read.
      ...(this.#unseen.count > 0 && { answerTimeErrorP99Ms: rounded(this.#unseen.percentileMs(99)) }),
      droppedArrivals: this.#dropped,
      othersCpuRatio: this.#othersRatio(ownMs, wallMs),
    };
    return {
      facts,
      inconclusive:
        judgeHealth(facts, this.#ownFailures, requests) ?? judgeUnseen(facts.answerTimeErrorP99Ms ?? 0),
    };
  }

  #othersRatio(ownMs: number, wallMs: number): number | null {
    const busyNowMs = busyMs(this.#cpus);
    return busyNowMs === undefined || this.#busyMs === undefined
      ? null
      : rounded(Math.max(0, busyNowMs - this.#busyMs - ownMs) / wallMs / this.#cpus.length);
  }
}

function judgeUnseen(p99Ms: number): string | undefined {
  return p99Ms > MAX_UNSEEN_P99_MS
    ? `The load generator looked too late for answers: when 1 in 100 came is not known to ${Math.round(p99Ms)} ms (limit ${MAX_UNSEEN_P99_MS} ms).`
    : undefined;
}

/** Why the figures cannot be trusted, as one plain sentence, or undefined when they can. */
export function judgeHealth(
  facts: GeneratorFacts,
  ownFailures: number,
  requests: number,
): string | undefined {
  const { schedulingLagP99Ms, cpuRatio, eventLoopDelayP99Ms } = facts;
  if (schedulingLagP99Ms > MAX_LAG_P99_MS) {
    return `The load generator ran late: 1 in 100 requests left more than ${Math.round(schedulingLagP99Ms)} ms after its time (limit ${MAX_LAG_P99_MS} ms).`;
  }
  const lagMs = Math.max(schedulingLagP99Ms, eventLoopDelayP99Ms);
  if (cpuRatio > MAX_CPU_RATIO && lagMs > BUSY_LAG_P99_MS) {
    return `The load generator had no CPU time left: it used ${Math.round(cpuRatio * 100)} % of a CPU and was ${lagMs} ms late.`;
  }
  if (ownFailures > requests * MAX_OWN_FAILURE_RATIO) {
    return `The load generator ran out of its own resources for ${ownFailures} of ${requests} requests.`;
  }
  if ((facts.droppedArrivals ?? 0) > requests * MAX_DROPPED_RATIO) {
    return `The load generator did not come to ${facts.droppedArrivals} of ${requests} requests in time.`;
  }
  return undefined;
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
