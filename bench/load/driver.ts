// Runs inside the container of docker/bench: measures every generator against every server, and prints JSON.
import type { ChildProcess } from 'node:child_process';
import { bundleAssay, finishAssay, startAssay } from './assay.ts';
import { cpuSeconds, end, later, outputOf, startGenerator, startTarget } from './processes.ts';
import { KNOWN_SERVERS, toleranceMs } from './truth.ts';
import type { KnownServer, Percentiles } from './truth.ts';

const CONNECTIONS = 50;
const LONG = '600';
/** Compilers and caches have settled by then. */
const WARM_UP_S = 1.5;
/** Longest wait for a first request, and for so much CPU time on a machine that others keep busy, s. */
const LONGEST_START_S = 60;
const LONGEST_WINDOW_S = 20;
/**
 * A row that was measured while they were later than this share of what its p99 may be off is measured again, so many
 * times at the most.
 */
const UNDISTURBED_SHARE = 0.7;
const MOST_ATTEMPTS = 5;

export interface DriverOptions {
  parts: readonly string[];
  rounds: number;
  windowS: number;
  rates: number[];
  servers: string[];
}

export interface Throughput {
  perCore: number;
  perSecond: number;
}

/**
 * With what the generator was late and the server was late, and by how much the times of answers may be wrong: signs
 * of a machine that others kept busy.
 */
type OwnPercentiles = Percentiles & {
  lagP99: number;
  answersP99: number;
  serverLateP99: number;
  attempts: number;
};

export interface AccuracyRow {
  server: string;
  rate: number;
  truth: Percentiles;
  assay: OwnPercentiles;
  locust: Percentiles;
}

/** The parts that were asked for. */
export interface DriverResult {
  throughput?: Record<string, Throughput>;
  accuracy?: AccuracyRow[];
}

type Start = (port: number) => ChildProcess;

const AUTOCANNON = '/repo/node_modules/autocannon/autocannon.js';
const LOCUST = [
  'locust',
  '-f',
  '/repo/bench/load/locustfile.py',
  '--headless',
  '--only-summary',
  '-L',
  'ERROR',
];
const LOCUST_USERS = ['-u', String(CONNECTIONS), '-r', String(CONNECTIONS)];

const GENERATORS: Readonly<Record<string, Start>> = {
  assay: (port) => startAssay(grader, port, [{ users: CONNECTIONS, for: `${LONG}s` }]),
  locustFast: (port) => startLocust(port, ['KIND=fast'], ['-t', `${LONG}s`]),
  autocannon: (port) =>
    startGenerator(['node', AUTOCANNON, '-c', String(CONNECTIONS), '-d', LONG, `http://127.0.0.1:${port}/`]),
  wrk: (port) =>
    startGenerator(['wrk', '-t1', `-c${CONNECTIONS}`, `-d${LONG}s`, `http://127.0.0.1:${port}/`]),
  locustHttp: (port) => startLocust(port, ['KIND=http'], ['-t', `${LONG}s`]),
};

// Whoever started this holds its input open. It is the leader of all that runs in the container.
process.stdin.resume().once('end', () => process.exit(1));
const grader = await bundleAssay('/repo');
const options = JSON.parse(process.argv[2] ?? '{}') as DriverOptions;
const result: DriverResult = {
  ...(options.parts.includes('throughput') && { throughput: await measureThroughput(options) }),
  ...(options.parts.includes('accuracy') && { accuracy: await measureAccuracy(options) }),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

function startLocust(port: number, settings: readonly string[], args: readonly string[]): ChildProcess {
  const target = ['-H', `http://127.0.0.1:${port}`];
  return startGenerator(['env', ...settings, ...LOCUST, ...LOCUST_USERS, ...target, ...args]);
}

/** Rounds alternate between the generators, so that a slow minute of the machine meets all; medians count. */
async function measureThroughput({ rounds, windowS }: DriverOptions): Promise<Record<string, Throughput>> {
  const measured = new Map<string, Throughput[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, start] of Object.entries(GENERATORS)) {
      const one = await measureOne(start, 9000 + round, windowS);
      process.stderr.write(`${name}: ${Math.round(one.perCore)}/s per core\n`);
      measured.set(name, [...(measured.get(name) ?? []), one]);
    }
  }
  return Object.fromEntries(
    [...measured].map(([name, ones]) => [
      name,
      {
        perCore: median(ones.map((one) => one.perCore)),
        perSecond: median(ones.map((one) => one.perSecond)),
      },
    ]),
  );
}

/**
 * What the target counted while the generator ran at full speed, over the CPU time that the generator used for it:
 * the same for all of them, and true on a machine that others use as well.
 */
async function measureOne(start: Start, port: number, windowS: number): Promise<Throughput> {
  const target = await startTarget(port, ['trivial']);
  const generator = start(port);
  generator.stdout?.resume();
  generator.stderr?.resume();
  try {
    const limitMs = performance.now() + LONGEST_START_S * 1000;
    while ((await target.served()) === 0) {
      if (generator.exitCode !== null || performance.now() > limitMs) {
        throw new Error(`${generator.spawnargs.join(' ')} sent nothing`);
      }
      await later(50);
    }
    await untilUsed(generator, WARM_UP_S);
    const fromMs = performance.now();
    const before = { served: await target.served(), cpu: cpuSeconds(generator) };
    await untilUsed(generator, before.cpu + windowS);
    const after = { served: await target.served(), cpu: cpuSeconds(generator) };
    const seconds = (performance.now() - fromMs) / 1000;
    const served = after.served - before.served;
    return { perCore: served / (after.cpu - before.cpu), perSecond: served / seconds };
  } finally {
    await end(generator, 'SIGKILL');
    await target.stop();
  }
}

/** Time is measured in what the generator got of its CPU: others may use it too. */
async function untilUsed(generator: ChildProcess, seconds: number): Promise<void> {
  const limitMs = performance.now() + LONGEST_WINDOW_S * 1000;
  while (cpuSeconds(generator) < seconds && performance.now() < limitMs) {
    await later(20);
  }
}

async function measureAccuracy({ rates, servers }: DriverOptions): Promise<AccuracyRow[]> {
  const rows: AccuracyRow[] = [];
  let port = 9100;
  for (const server of KNOWN_SERVERS.filter(({ name }) => servers.includes(name))) {
    for (const rate of rates) {
      const truth = server.truth(rate);
      const assay = await leastDisturbed(toleranceMs(truth.p99), () =>
        assayLatency(server, rate, (port += 1)),
      );
      const locust = await locustLatency(server, rate, (port += 1));
      rows.push({ server: server.name, rate, truth, assay, locust });
      process.stderr.write(`${JSON.stringify(rows.at(-1))}\n`);
    }
  }
  return rows;
}

/** The choice is by lateness, which is no matter of the figures themselves. */
async function leastDisturbed(
  mayBeOffMs: number,
  measure: () => Promise<Omit<OwnPercentiles, 'attempts'>>,
): Promise<OwnPercentiles> {
  let best = await measure();
  let attempts = 1;
  while (attempts < MOST_ATTEMPTS && latenessOf(best) > mayBeOffMs * UNDISTURBED_SHARE) {
    const again = await measure();
    attempts += 1;
    best = latenessOf(again) < latenessOf(best) ? again : best;
  }
  return { ...best, attempts };
}

/** What may come into a latency: a late arrival counts from its turn, and does not. */
function latenessOf({ answersP99, serverLateP99 }: Omit<OwnPercentiles, 'attempts'>): number {
  return answersP99 + serverLateP99;
}

async function assayLatency(
  server: KnownServer,
  rate: number,
  port: number,
): Promise<Omit<OwnPercentiles, 'attempts'>> {
  const target = await startTarget(port, server.target(rate));
  try {
    const shape = [
      { warmUp: '3s', users: 2 },
      { arrivalRate: `${rate}/s`, for: `${server.seconds}s` },
    ];
    const { total, generator } = await finishAssay(startAssay(grader, port, shape));
    const { p50, p95, p99 } = total.latency ?? { p50: Number.NaN, p95: Number.NaN, p99: Number.NaN };
    return {
      p50,
      p95,
      p99,
      lagP99: generator.schedulingLagP99Ms,
      answersP99: generator.answerTimeErrorP99Ms ?? 0,
      serverLateP99: await target.lateP99(),
    };
  } finally {
    await target.stop();
  }
}

/** Locust has no arrival rate: its users are held to their share of it. */
async function locustLatency(server: KnownServer, rate: number, port: number): Promise<Percentiles> {
  const target = await startTarget(port, server.target(rate));
  try {
    const settings = ['KIND=fast', `PER_USER=${rate / CONNECTIONS}`];
    const generator = startLocust(port, settings, ['-t', `${server.seconds}s`, '-s', '5', '--json']);
    return locustPercentiles(await outputOf(generator, [0, 1]));
  } finally {
    await target.stop();
  }
}

/** From Locust's counts of rounded response times, over all its rows. */
function locustPercentiles(json: string): Percentiles {
  const rows = JSON.parse(json) as { response_times: Record<string, number> }[];
  const times = rows
    .flatMap((row) => Object.entries(row.response_times).map(([ms, count]) => ({ ms: Number(ms), count })))
    .toSorted((a, b) => a.ms - b.ms);
  const total = times.reduce((sum, { count }) => sum + count, 0);
  function at(share: number): number {
    let seen = 0;
    return times.find(({ count }) => (seen += count) >= total * share)?.ms ?? Number.NaN;
  }
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}
