import type { Check } from '../../src/domain/grader-protocol.ts';
import type { RunFacts } from '../../src/report/run-facts.ts';
import {
  BUILD_FAILURE,
  loadChecks,
  makeCheck,
  makeExchange,
  makeFacts,
  makeFailed,
  makeKnee,
  makeLatency,
  makeLoadResult,
  makeLoadTask,
  makeStage,
  planStage,
} from './report-fixtures.ts';

/** Everything passed. */
function passedRun(): RunFacts {
  const load = makeLoadResult(30);
  return makeFacts([
    makeStage('api', goodChecks()),
    makeStage('load', loadChecks(load), { load, durationMs: 36_200 }),
  ]);
}

/** Failing checks of several kinds, a crash, and load thresholds that were not met. */
function partialRun(): RunFacts {
  const load = makeLoadResult(520, {
    total: makeLoadTask('Total', {
      requests: 9000,
      failures: 214,
      requestsPerSecond: 296,
      latency: makeLatency(6, 431, 702),
      serviceTime: makeLatency(5, 38, 71),
      failureLatency: makeLatency(10_000, 10_000, 10_000, 214),
      errors: [
        { message: 'timed out after 10 s', count: 190 },
        { message: 'connection reset', count: 24 },
      ],
    }),
    tasks: [
      makeLoadTask('follow', {
        requests: 8500,
        failures: 201,
        latency: makeLatency(6, 412, 688),
        serviceTime: makeLatency(5, 31, 66),
        errors: [{ message: 'timed out after 10 s', count: 190 }],
      }),
      makeLoadTask('create', { requests: 500, failures: 13, requestsPerSecond: 17 }),
    ],
    thresholds: [
      { that: 'p95(follow) < 100ms', ok: false, actual: 412, limit: 100, unit: 'ms' },
      { that: 'p99(follow) < 250ms', ok: false, actual: 688, limit: 250, unit: 'ms' },
      { that: 'errors < 1%', ok: false, actual: 0.0238, limit: 0.01, unit: 'ratio' },
      { that: 'rps > 250', ok: true, actual: 296, limit: 250, unit: '/s' },
    ],
    knee: makeKnee(),
    reference: {
      latency: makeLatency(1.1, 2.4, 3.9),
      requestsPerSecond: 5200,
      before: { latency: makeLatency(0.9, 2, 3.2), requestsPerSecond: 6500 },
      after: { latency: makeLatency(1.3, 2.9, 4.8), requestsPerSecond: 4160 },
    },
    relative: {
      knee: 0.078,
      total: { p50: 5.5, p95: 180, p99: 180 },
      tasks: [{ name: 'follow', latency: { p50: 5.5, p95: 172, p99: 176 } }],
    },
  });
  return makeFacts(
    [
      makeStage('api', [...goodChecks().slice(0, 9), ...failingChecks()], { crashes: 1 }),
      makeStage('load', loadChecks(load), { load, durationMs: 36_200 }),
    ],
    {
      service: {
        readyMs: 2_340,
        log: '--- api ---\nlistening on 8080\nSyntaxError: Unexpected end of JSON input\n    at JSON.parse (<anonymous>)\n    at parseBody (/app/server.js:41:17)\nlistening on 8080\n',
        logTruncated: true,
        logThrottled: false,
        logBytes: 3_482_112,
      },
    },
  );
}

/** Nothing ran: the dependencies could not be installed. */
function buildFailureRun(): RunFacts {
  return makeFacts([], {
    planned: [planStage(makeStage('api', goodChecks()), 70)],
    failure: BUILD_FAILURE,
    build: { cached: false, durationMs: 4100, log: BUILD_FAILURE.log ?? '', truncated: false },
    service: null,
  });
}

/** It built, and never answered on its port. */
function neverReadyRun(): RunFacts {
  const failure = {
    code: 'NOT_READY',
    blame: 'candidate' as const,
    message: 'The service opened port 3000 but not port 8080, where it was expected within 30 s.',
    hint: 'Listen on the port given in $PORT (8080).',
    log: 'Server listening on http://localhost:3000\n',
  };
  return makeFacts([makeStage('api', [], { failure })], {
    planned: [
      planStage(makeStage('api', goodChecks()), 70),
      planStage(makeStage('load', loadChecks(makeLoadResult(30))), 30),
    ],
    failure,
    service: { readyMs: null, log: failure.log, logTruncated: false, logThrottled: false, logBytes: 42 },
  });
}

/** Checks near the pass mark, and a load generator that could not keep up. */
function inconclusiveRun(): RunFacts {
  const load = makeLoadResult(300, {
    generator: {
      schedulingLagP99Ms: 84,
      cpuRatio: 0.98,
      eventLoopDelayP99Ms: 91,
      droppedArrivals: 0,
      othersCpuRatio: null,
    },
  });
  const api = [...goodChecks().slice(0, 7), ...failingChecks().slice(0, 2)];
  return makeFacts([
    makeStage('api', api),
    makeStage('load', loadChecks(load), {
      load,
      inconclusive: 'the load generator itself was late: requests left up to 84 ms after their time (p99).',
    }),
  ]);
}

/** Our own fault before any stage. */
function erroredRun(): RunFacts {
  return makeFacts([], {
    planned: [planStage(makeStage('api', goodChecks()), 70)],
    failure: { code: 'ENGINE_GONE', blame: 'infra', message: 'The container engine stopped answering.' },
    build: null,
    service: null,
  });
}

/** Text that tries to become markup, to steer a terminal, or to hide, in every place a candidate can reach. */
export const HOSTILE = [
  '<script>window.pwned=1</script>',
  '<img src=x onerror="window.pwned=2">',
  '</pre></details><svg onload="window.pwned=3"><style>*{display:none}</style>',
  '<a href="javascript:window.pwned=4">x</a><iframe src="http://127.0.0.1:9/x"></iframe>',
  '{{7*7}} ${7*7} <!-- ]]> <plaintext>',
  '\u001b[2J\u001b]0;title\u0007\u001b]8;;http://127.0.0.1:9/\u001b\\link\u009b31m\b\b\rOVERWRITE',
  'abc\u202Etxt.exe\u2066\u200B\uFEFF\u00AD p\u0430ypal \u2028 \0 \ud800 e\u0301\u0301\u0301\u0301\u0301\u0301\u0301',
].join('\n');

/** The same, short enough for a name. */
const HOSTILE_NAME =
  '<img src=x onerror="window.pwned=5">\u001b[31m\u202E\r\n</details><script>window.pwned=6</script>';

function hostileRun(): RunFacts {
  const hostile = HOSTILE;
  const exchange = makeExchange('POST', `/links/${hostile}`, hostile, {
    status: 500,
    body: hostile,
    headers: [[`x-${hostile}`, hostile]],
  });
  const check = makeFailed(
    `Suite ${HOSTILE_NAME}`,
    `name ${HOSTILE_NAME}`,
    { ...exchange, label: hostile, curl: `curl '${hostile}'` },
    {
      message: hostile,
      at: `steps[0].${hostile}`,
      expected: hostile,
      actual: hostile,
      diff: [`- ${hostile}`, `+ ${hostile}`],
    },
  );
  const base = makeLoadResult(300);
  const load = makeLoadResult(300, {
    phases: base.phases.map((phase) => ({ ...phase, label: hostile })),
    tasks: [makeLoadTask(hostile, { failures: 3, errors: [{ message: hostile, count: 3 }] })],
    thresholds: [{ that: `p95(${HOSTILE_NAME}) < 1ms`, ok: false, actual: 9, limit: 1, unit: 'ms' }],
    series: base.series.map((series) => ({ ...series, name: `${series.name} ${hostile}` })),
  });
  return makeFacts(
    [
      makeStage('api', [{ ...check, id: `hidden/${HOSTILE_NAME}"><b id="x` }], {
        metrics: [{ name: hostile, value: 1, unit: hostile }],
      }),
      makeStage('load', loadChecks(load), { load }),
    ],
    {
      submission: { digest: 'sha256:00', files: 1, bytes: 1, notices: [hostile] },
      startPlan: {
        runtime: 'node',
        decidedBy: hostile,
        manifests: [],
        install: null,
        build: null,
        start: [hostile],
      },
      build: { cached: false, durationMs: 1, log: hostile, truncated: false },
      service: { readyMs: 1, log: hostile, logTruncated: true, logThrottled: true, logBytes: 9 },
      remarks: [hostile],
    },
  );
}

function goodChecks(): Check[] {
  return [
    makeCheck('Shorten and follow', 'shortening returns a code', { maxPoints: 3 }),
    makeCheck('Shorten and follow', 'a code leads to the long URL'),
    makeCheck('Shorten and follow', 'an unknown code is 404', { maxPoints: 1 }),
    makeCheck('HTTP semantics', 'HEAD works like GET', { maxPoints: 1 }),
    makeCheck('HTTP semantics', 'a wrong method is 405 with Allow'),
    makeCheck('Concurrency', '50 creations at once never collide', { maxPoints: 4, skill: 'engineering' }),
    makeCheck('Concurrency', 'one alias, many takers: exactly one wins', {
      maxPoints: 4,
      skill: 'engineering',
    }),
    makeCheck('Statistics', 'visits are counted'),
    makeCheck('Statistics', 'HEAD is not a visit', { maxPoints: 1 }),
    makeCheck('Persistence', 'links survive a restart', { maxPoints: 4, skill: 'engineering' }),
    makeCheck('Validation', 'malformed JSON is 400'),
    makeCheck('Validation', 'a missing url is 400'),
  ];
}

function failingChecks(): Check[] {
  const persistence = makeFailed(
    'Persistence',
    'links survive a restart',
    makeExchange('GET', '/a81Kx', undefined, { status: 404, body: '{"error":"not found"}' }),
    {
      message: 'expected status 302, got 404',
      at: 'steps[2].expect.status',
      expected: '302',
      actual: '404',
      maxPoints: 4,
    },
  );
  return [
    { ...persistence, skill: 'engineering' },
    makeFailed(
      'Validation',
      'malformed JSON is 400',
      makeExchange('POST', '/links', '{"url":', { status: 500, body: '<h1>Internal Server Error</h1>' }),
      {
        message: 'expected status 400, got 500',
        at: 'steps[0].expect.status',
        expected: '400',
        actual: '500',
      },
    ),
    makeFailed('Validation', 'an empty body is 400', makeExchange('POST', '/links', '', { status: 500 }), {
      message: 'expected status 400, got 500',
      at: 'steps[0].expect.status',
      expected: '400',
      actual: '500',
      maxPoints: 1,
    }),
    makeFailed(
      'Validation',
      'a javascript: URL is refused',
      makeExchange('POST', '/links', '{"url":"javascript:alert(1)"}', {
        status: 201,
        body: '{"code":"b7Qz1","url":"javascript:alert(1)"}',
      }),
      {
        message: 'expected status 400 or 422, got 201',
        at: 'steps[0].expect.status',
        expected: '400 or 422',
        actual: '201',
      },
    ),
    makeFailed(
      'Statistics',
      'the answer tells url, code and visits',
      makeExchange('GET', '/links/a81Kx', undefined, { status: 200, body: '{"code":"a81Kx","hits":"3"}' }),
      {
        message: 'expected $.visits to be 3, it is missing (and 1 more)',
        at: 'steps[3].expect.json',
        expected: '{"code":"a81Kx","url":"https://example.com/x","visits":3}',
        actual: '{"code":"a81Kx","hits":"3"}',
        diff: [
          '  {',
          '    "code": "a81Kx",',
          '-   "url": "https://example.com/x",',
          '-   "visits": 3',
          '+   "hits": "3"',
          '  }',
        ],
      },
    ),
    makeFailed(
      'Validation',
      'a body of 2 MiB is refused',
      makeExchange('POST', '/links', `{"url":"https://example.com/${'x'.repeat(3000)}`, {
        error: 'connection reset',
      }),
      {
        message:
          'no complete answer came: connection reset; the service exited with code 1 during this check',
        at: 'steps[0]',
      },
    ),
    makeCheck('Statistics', 'visits are exact under load', {
      status: 'errored',
      message: 'not run: the grader lost its timer',
    }),
    makeCheck('Listing', 'paging is stable', {
      status: 'skipped',
      message: 'skipped: the service has no listing',
    }),
  ];
}

/** Runs of every kind, by name. */
export const SAMPLE_RUNS = {
  passedRun,
  partialRun,
  buildFailureRun,
  neverReadyRun,
  inconclusiveRun,
  erroredRun,
  hostileRun,
};
