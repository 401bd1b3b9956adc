import type { Check, Exchange, Series } from '../../src/domain/grader-protocol.ts';
import type { Latency } from '../../src/domain/load-result.ts';
import type { Failure, LoadResult, LoadTask } from '../../src/domain/report.ts';
import type { PlannedCheck, PlannedStage, RunFacts, StageFacts } from '../../src/report/run-facts.ts';

/** A passed check; `overrides` make it anything else. Id and suite file follow from suite and name. */
export function makeCheck(suite: string, name: string, overrides: Partial<Check> = {}): Check {
  const maxPoints = overrides.maxPoints ?? 2;
  const status = overrides.status ?? 'passed';
  return {
    id: `hidden/api/${slug(suite)}.yaml/${slug(name)}`,
    name,
    suite,
    status,
    points: status === 'passed' ? maxPoints : 0,
    maxPoints,
    skill: 'api-design',
    visibility: 'hidden',
    message: status === 'passed' ? '' : 'expected status 201, got 500',
    durationMs: 12.4,
    ...overrides,
  };
}

/** A failed check with one exchange. */
export function makeFailed(
  suite: string,
  name: string,
  exchange: Exchange,
  detail: {
    message: string;
    at?: string;
    expected?: string;
    actual?: string;
    diff?: string[];
    maxPoints?: number;
  },
): Check {
  const { message, maxPoints = 2, ...evidence } = detail;
  return makeCheck(suite, name, {
    status: 'failed',
    maxPoints,
    message,
    evidence: { exchanges: [exchange], ...evidence },
  });
}

/** An exchange of a JSON API. Without `status` no answer came, for the reason `error`. */
export function makeExchange(
  method: string,
  path: string,
  body: string | undefined,
  answer: { status: number; body?: string; headers?: [string, string][] } | { error: string },
): Exchange {
  const url = `http://127.0.0.1:8080${path}`;
  const data = body === undefined ? '' : ` -H 'content-type: application/json' -d '${body}'`;
  return {
    label: `${method} ${path}`,
    request: {
      method,
      url,
      headers: body === undefined ? [] : [['content-type', 'application/json']],
      ...(body !== undefined && { body }),
    },
    ...('status' in answer && {
      response: {
        status: answer.status,
        headers: answer.headers ?? [['content-type', 'application/json']],
        ...(answer.body !== undefined && { body: answer.body }),
      },
    }),
    ...('error' in answer && { error: answer.error }),
    durationMs: 8.2,
    curl: `curl -i -X ${method}${data} '${url}'`,
  };
}

export function makeLatency(p50: number, p95: number, p99: number, count = 4000): Latency {
  return { count, min: p50 / 3, mean: p50 * 1.2, p50, p90: p95 * 0.8, p95, p99, max: p99 * 1.4 };
}

export function makeLoadTask(name: string, overrides: Partial<LoadTask> = {}): LoadTask {
  return {
    name,
    requests: 4000,
    failures: 0,
    requestsPerSecond: 200,
    latency: makeLatency(4, 14, 31),
    serviceTime: makeLatency(4, 13, 30),
    failureLatency: null,
    errors: [],
    ...overrides,
  };
}

/** A load result of 30 s whose p95 rises past `peakMs` in the middle of its last phase. */
export function makeLoadResult(peakMs: number, overrides: Partial<LoadResult> = {}): LoadResult {
  return {
    seed: 'load-7',
    durationMs: 30_000,
    phases: [
      { label: 'warm-up, 10 users', fromS: 0, toS: 5 },
      { label: '50 users', fromS: 5, toS: 15 },
      { label: '400/s', fromS: 15, toS: 30 },
    ],
    total: makeLoadTask('Total', { requests: 9000, requestsPerSecond: 310 }),
    tasks: [makeLoadTask('follow'), makeLoadTask('create', { requests: 500, requestsPerSecond: 25 })],
    unsent: 0,
    thresholds: [
      { that: 'p95(follow) < 100ms', ok: true, actual: 14, limit: 100, unit: 'ms' },
      { that: 'errors < 1%', ok: true, actual: 0, limit: 0.01, unit: 'ratio' },
    ],
    series: [
      curve('users', 'count', (second) => (second < 5 ? 10 : 50)),
      curve('rps', '/s', (second) => byPhase(second, 40, 190, 400) * (0.92 + jitter(second) * 0.12)),
      curve('failures', '/s', (second) => Math.round(wave(second) * (peakMs > 200 ? 24 : 0))),
      curve('p50', 'ms', (second) => 3 + jitter(second) + (wave(second) * peakMs) / 5),
      curve('p95', 'ms', (second) => 9 + 4 * jitter(second) + wave(second) * peakMs),
      curve('p99', 'ms', (second) => 16 + 9 * jitter(second) + wave(second) * peakMs * 1.4),
      curve('candidate.cpu', 'ratio', (second) =>
        Math.min(0.99, byPhase(second, 0.1, 0.34, 0.7) + wave(second) * 0.4),
      ),
      curve('candidate.memory', 'bytes', (second) => (61 + second * 1.1) * 1024 * 1024),
      curve('candidate.throttled', 'ratio', (second) => wave(second) * 0.3),
      curve('candidate.sockets', 'count', (second) =>
        Math.round(byPhase(second, 12, 54, 70) + wave(second) * 90),
      ),
    ],
    distribution: [0, 10, 25, 50, 66, 75, 80, 90, 95, 98, 99, 99.9, 100].map((percent) => {
      const slow = percent / 100;
      const served = 2 + 4 * slow + 60 * slow ** 24;
      return { percent, served, waited: served + 1.4 * peakMs * slow ** 12 };
    }),
    generator: {
      schedulingLagP99Ms: 1.8,
      cpuRatio: 0.31,
      eventLoopDelayP99Ms: 3.2,
      answerTimeErrorP99Ms: 0.4,
    },
    ...overrides,
  };
}

/** A search for the knee of a service that takes 400 requests a second. */
export function makeKnee(): NonNullable<LoadResult['knee']> {
  const rates = [50, 100, 200, 400, 800, 600, 500, 440, 400, 410, 405];
  return {
    objective: 'p95 < 100ms and errors < 1%',
    outcome: 'found',
    rate: 408,
    low: 388,
    high: 431,
    repeats: 5,
    steps: rates.map((rate, index) => {
      const p95 = 6 + 400 / Math.max(4, 425 - rate) + Math.max(0, rate - 420) * 9;
      return {
        rate,
        fromS: index * 3,
        toS: index * 3 + 3,
        ok: p95 < 100,
        requests: rate * 3,
        failures: 0,
        unsent: rate > 700 ? 120 : 0,
        p50: p95 / 3,
        p95,
        p99: p95 * 1.6,
      };
    }),
  };
}

function curve(name: string, unit: string, value: (second: number) => number): Series {
  return { name, unit, points: Array.from({ length: 30 }, (_, second) => [second, value(second)]) };
}

function byPhase(second: number, warmUp: number, closed: number, open: number): number {
  if (second < 5) {
    return warmUp;
  }
  return second < 15 ? closed : open;
}

function wave(second: number): number {
  return second < 16 ? 0 : Math.exp(-((second - 23) ** 2) / 12);
}

function jitter(second: number): number {
  return ((second * 7919) % 13) / 13;
}

/** Checks of a load result's thresholds. */
export function loadChecks(load: LoadResult, points = 10): Check[] {
  return load.thresholds.map((threshold) => ({
    id: `load/${slug(threshold.that)}`,
    name: threshold.that,
    status: threshold.ok ? 'passed' : 'failed',
    points: threshold.ok ? points : 0,
    maxPoints: points,
    skill: 'engineering',
    visibility: 'hidden',
    message: threshold.ok ? '' : `${threshold.that} does not hold`,
    durationMs: 0,
  }));
}

export function makeStage(name: string, checks: Check[], overrides: Partial<StageFacts> = {}): StageFacts {
  return { name, durationMs: 4210.5, seed: `${name}-seed`, checks, metrics: [], crashes: 0, ...overrides };
}

/** A run of the given stages, planned as they were reported. `overrides` replace whole fields. */
export function makeFacts(
  stages: StageFacts[],
  overrides: Partial<RunFacts> & { weights?: Record<string, number>; planned?: PlannedStage[] } = {},
): RunFacts {
  const { weights = { api: 70, load: 30 }, planned, ...rest } = overrides;
  return {
    run: {
      id: 'run-20261124-0001',
      startedAt: '2026-11-24T09:12:03.120Z',
      finishedAt: '2026-11-24T09:13:01.480Z',
      durationMs: 58_360.4,
      seed: 'seed-42',
      visibleOnly: false,
      timeline: [
        { phase: 'build', startMs: 20, durationMs: 9100 },
        { phase: 'api', startMs: 9130, durationMs: 12_400 },
        { phase: 'load', startMs: 21_540, durationMs: 36_200 },
      ],
    },
    challenge: {
      slug: 'url-shortener',
      title: 'URL shortener',
      digest: `sha256:${'3f'.repeat(32)}`,
      passScore: 70,
      stages: planned ?? stages.map((stage) => planStage(stage, weights[stage.name] ?? 10)),
    },
    submission: {
      digest: `sha256:${'a1'.repeat(32)}`,
      files: 14,
      bytes: 48_213,
      notices: ['.git/ was left out (112 files)'],
    },
    startPlan: {
      runtime: 'node',
      decidedBy: 'package.json scripts.start',
      manifests: ['package.json', 'package-lock.json'],
      install: ['npm', 'ci'],
      build: null,
      start: ['node', 'server.js'],
    },
    environment: makeEnvironment(),
    build: { cached: false, durationMs: 9100, log: 'added 12 packages in 7s\n', truncated: false },
    service: {
      readyMs: 412,
      log: '--- api ---\nlistening on 8080\n',
      logTruncated: false,
      logThrottled: false,
      logBytes: 31,
    },
    stages,
    canceled: false,
    remarks: [],
    ...rest,
  };
}

export function planStage(stage: StageFacts, weight: number): PlannedStage {
  return { name: stage.name, weight, checks: stage.checks.map(planCheck) };
}

export function planCheck(check: Check): PlannedCheck {
  const { id, name, suite, maxPoints, skill, visibility } = check;
  return { id, name, ...(suite !== undefined && { suite }), maxPoints, skill, visibility };
}

function makeEnvironment(): RunFacts['environment'] {
  return {
    assay: '0.1.0',
    engine: 'Docker 20.10.24',
    runtime: 'runc',
    storageDriver: 'overlay2',
    cgroupVersion: '1',
    kernel: '6.1.0',
    cpus: 2,
    memoryBytes: 8 * 1024 ** 3,
    images: { 'runtime-node': `sha256:${'7c'.repeat(32)}`, submission: `sha256:${'9e'.repeat(32)}` },
    limits: { cpus: 1, memoryBytes: 512 * 1024 ** 2, pids: 256, files: 8192 },
  };
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

export const BUILD_FAILURE: Failure = {
  code: 'BUILD_FAILED',
  blame: 'candidate',
  message: 'Installing the dependencies did not succeed. The process exited with code 1.',
  hint: 'The lockfile and package.json must agree: run `npm install` and hand in both.',
  exit: {
    cause: 'exited',
    exitCode: 1,
    oomKilled: false,
    pidsLimitHit: false,
    wallMs: 4100,
    message: 'The process exited with code 1.',
  },
  log: 'npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json are in sync.\n',
};
