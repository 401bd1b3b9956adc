import { parseArgs } from 'node:util';
import { withDeadline } from '../src/shared/with-deadline.ts';
import { runDriver } from './load/container.ts';
import type { AccuracyRow, DriverResult } from './load/driver.ts';
import { isTrue, KNOWN_SERVERS } from './load/truth.ts';

const PARTS = ['throughput', 'accuracy'] as const;
const SERVERS = KNOWN_SERVERS.map(({ name }) => name);
const LONGEST_MS = 30 * 60_000;
/** As shells have it: 128 and the number of the signal. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Our generator beside Locust, autocannon and wrk, in one container without a network: the server on CPU 0, one
 * generator after another on CPU 1. Throughput over CPU time, and latency against servers whose latency is known.
 */
export async function runLoadBench(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      json: { type: 'boolean' },
      only: { type: 'string' },
      rounds: { type: 'string', default: '3' },
      window: { type: 'string', default: '2' },
      rates: { type: 'string', default: '200,1000,2000' },
      servers: { type: 'string', default: SERVERS.join(',') },
    },
  });
  const parts = PARTS.filter((part) => values.only === undefined || values.only === part);
  if (parts.length === 0) {
    throw new Error(`--only is one of ${PARTS.join(', ')}, not "${values.only}"`);
  }
  const options = {
    parts,
    rounds: toNumber('rounds', values.rounds),
    windowS: toNumber('window', values.window),
    rates: values.rates.split(',').map((rate) => toNumber('rates', rate)),
    servers: values.servers.split(',').map(toServer),
  };
  const result = await withEnd(async (signal) => await runDriver(options, signal));
  if (!result) {
    return;
  }
  process.stdout.write(values.json ? `${JSON.stringify(toJson(result))}\n` : render(result));
}

function toServer(name: string): string {
  if (!SERVERS.includes(name)) {
    throw new Error(`--servers are some of ${SERVERS.join(', ')}, not "${name}"`);
  }
  return name;
}

function toNumber(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) {
    throw new Error(`--${option} takes numbers above 0, not "${text}"`);
  }
  return number;
}

/** Ends the work at a signal, and after the longest time it may take, and lets it clean up. Answers nothing then. */
async function withEnd<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
  const controller = new AbortController();
  for (const [name, code] of Object.entries(SIGNAL_CODES)) {
    process.once(name, () => {
      process.exitCode = code;
      controller.abort(new Error(`ended by ${name}`));
    });
  }
  const { signal } = controller;
  try {
    return await work(withDeadline(signal, LONGEST_MS));
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
    process.stderr.write(`${(signal.reason as Error).message}\n`);
    return undefined;
  }
}

/** One number for each generator: requests per second of CPU time. */
function toJson({ throughput, accuracy }: DriverResult) {
  return {
    throughput:
      throughput &&
      Object.fromEntries(
        Object.entries(throughput).map(([name, { perCore }]) => [name, Math.round(perCore)]),
      ),
    accuracy,
  };
}

function render({ throughput, accuracy }: DriverResult): string {
  const ours = throughput?.['assay']?.perCore ?? Number.NaN;
  const rates = throughput && [
    'Requests per second and core (50 connections, kept alive; over the CPU time of the generator):',
    ...Object.entries(throughput).map(
      ([name, { perCore, perSecond }]) =>
        `  ${name.padEnd(12)}${String(Math.round(perCore)).padStart(7)}  assay is ${(ours / perCore).toFixed(2)} of it; by the clock ${Math.round(perSecond)}/s`,
    ),
    '',
  ];
  const times = accuracy && [
    'Latency in ms at a fixed rate: truth, assay, Locust (p50 p95 p99):',
    ...accuracy.map(renderRow),
    '',
  ];
  return [...(rates ?? []), ...(times ?? [])].join('\n');
}

function renderRow({ server, rate, truth, assay, locust }: AccuracyRow): string {
  const keys = ['p50', 'p95', 'p99'] as const;
  const ok = keys.every((key) => isTrue(assay[key], truth[key]));
  const figures = [truth, assay, locust].map((one) =>
    keys.map((key) => one[key].toFixed(1).padStart(7)).join(' '),
  );
  const late = `own lateness (p99): generator ${assay.lagP99.toFixed(1)}, times of answers ${assay.answersP99.toFixed(1)}, server ${assay.serverLateP99.toFixed(1)}`;
  return `  ${server.padEnd(9)}${String(rate).padStart(5)}/s ${figures.join('  | ')}  ${ok ? 'within 5 % or 1 ms' : 'NOT within 5 % or 1 ms'}; ${late}`;
}
