/** Percentiles that a server's latency must have, ms. */
export interface Percentiles {
  p50: number;
  p95: number;
  p99: number;
}

/** A server of docker/bench/target.c, with its analytic latency at a fixed rate. */
export interface KnownServer {
  name: string;
  /** Arguments of the target. */
  target: (rate: number) => string[];
  seconds: number;
  truth: (rate: number) => Percentiles;
}

/** The queue takes in a tenth more than it gets done. */
const OVERLOAD = 1.1;
const QUEUE_SECONDS = 8;

export const KNOWN_SERVERS: readonly KnownServer[] = [
  {
    name: 'constant',
    target: () => ['constant', '20'],
    seconds: 5,
    truth: () => ({ p50: 20, p95: 20, p99: 20 }),
  },
  {
    name: 'bimodal',
    target: () => ['bimodal', '5', '50'],
    seconds: 5,
    truth: () => ({ p50: 5, p95: 50, p99: 50 }),
  },
  {
    // A quarter of all arrive in the stall, evenly: a share s of all waits longer than 1 s - 4 s · s.
    name: 'stall',
    target: () => ['stall'],
    seconds: 8,
    truth: () => ({ p50: 0, p95: 800, p99: 960 }),
  },
  {
    // The wait grows evenly from one service time to the excess of the whole test.
    name: 'queue',
    target: (rate) => ['queue', String(rate / OVERLOAD)],
    seconds: QUEUE_SECONDS,
    truth: (rate) => {
      const serviceMs = (1000 * OVERLOAD) / rate;
      const longestMs = QUEUE_SECONDS * 1000 * (OVERLOAD - 1);
      return {
        p50: serviceMs + 0.5 * longestMs,
        p95: serviceMs + 0.95 * longestMs,
        p99: serviceMs + 0.99 * longestMs,
      };
    },
  },
];

/** Within 5 % of the truth or 1 ms, the larger. */
export function isTrue(measured: number, truth: number): boolean {
  return Math.abs(measured - truth) <= toleranceMs(truth);
}

/** By how much a latency may be off. */
export function toleranceMs(truth: number): number {
  return Math.max(1, truth * 0.05);
}
