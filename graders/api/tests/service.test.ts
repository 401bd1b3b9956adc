import { afterEach, describe, expect, it } from 'vitest';
import { startChildService } from './helpers/child-service.ts';
import type { ChildService } from './helpers/child-service.ts';
import { runSuite } from './helpers/run-suite.ts';

/** Counts in memory; some paths end the process in one way or another. */
const SERVICE = `
let count = 0;
require('http').createServer((q, s) => {
  if (q.url === '/crash') process.exit(7);
  if (q.url === '/late') setImmediate(() => setImmediate(() => process.exit(8)));
  s.end(JSON.stringify({ count: ++count }));
}).listen(Number(process.env.PORT), '127.0.0.1', function () { console.log(this.address().port); });
`;

let service: ChildService | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
});

async function run(tests: string[], readyPath = '/ready'): Promise<[status: string, message: string][]> {
  service = await startChildService(SERVICE);
  const lines = tests.map((steps, n) => `  - { name: t${n}, steps: [${steps}] }`);
  const checks = await runSuite(`suite: S\ntests:\n${lines.join('\n')}`, service.target, {
    control: service.control,
    readyPath,
  });
  return checks.map((check) => [check.status, check.message]);
}

const FINE = '{ request: GET /, expect: { status: 200 } }';

describe('a service that ends', () => {
  it('fails the running check with what became of it, and is up for the next', async () => {
    expect(await run([FINE, `${FINE}, { request: GET /crash }`, FINE])).toEqual([
      ['passed', ''],
      [
        'failed',
        'the connection was closed without an answer. During this check the service ended: It ended by itself with code 7.',
      ],
      ['passed', ''],
    ]);
  });

  it('fails the check after whose last answer it ends, not the next', async () => {
    expect(await run([FINE, '{ request: GET /late, expect: { status: 200 } }', FINE, FINE])).toEqual([
      ['passed', ''],
      ['failed', 'During this check the service ended: It ended by itself with code 8.'],
      ['passed', ''],
      ['passed', ''],
    ]);
  });

  it('too often is left down, and what remains is failed at once', async () => {
    const begin = performance.now();
    const crash = '{ request: GET /crash }';
    const outcomes = await run([crash, crash, crash, FINE, crash, FINE, FINE, FINE]);
    expect(outcomes.map(([status]) => status)).toEqual([
      'failed',
      'failed',
      'failed',
      'passed',
      'failed',
      'failed',
      'failed',
      'failed',
    ]);
    expect(outcomes.slice(5)).toEqual(
      Array.from({ length: 3 }, () => ['failed', 'not run: the service is down: it ended 4 times']),
    );
    expect(performance.now() - begin).toBeLessThan(6000);
  });

  it('fails a check that would accept a closed connection', async () => {
    const [outcome] = await run(['{ request: GET /crash, expect: { status: 413, orClosed: true } }']);
    expect(outcome).toEqual([
      'failed',
      'During this check the service ended: It ended by itself with code 7.',
    ]);
  });
});

describe('service steps', () => {
  function counted(count: number): string {
    return `{ request: GET /, expect: { json: { count: ${count} } } }`;
  }

  it('restart, kill and start the process', async () => {
    const outcomes = await run([
      `${counted(1)}, ${counted(2)}, { service: restart }, ${counted(1)}, { service: kill }, { service: start }, ${counted(1)}, { service: stop }, { service: start }, ${counted(1)}`,
    ]);
    expect(outcomes).toEqual([['passed', '']]);
    expect(service?.actions).toEqual(['restart', 'kill', 'start', 'stop', 'start']);
  });

  it('that leave the service stopped or paused are undone before the next check', async () => {
    const outcomes = await run([
      '{ service: stop }, { request: GET /, expect: { status: 200 } }',
      FINE,
      '{ service: pause }, { sleep: 20ms }',
      FINE,
    ]);
    expect(outcomes).toEqual([
      ['failed', 'the connection was refused'],
      ['passed', ''],
      ['passed', ''],
      ['passed', ''],
    ]);
  });

  it('fail the check when the service does not come back', async () => {
    service = await startChildService(SERVICE);
    const { target } = service;
    const checks = await runSuite(
      `suite: S\ntests: [{ name: a, steps: [{ service: restart }] }, { name: b, steps: [${FINE}] }]`,
      target,
      {
        control: async (action) =>
          await Promise.resolve(
            action === 'restart' ? { ok: false, error: 'It was not ready within 30 s.' } : { ok: true },
          ),
      },
    );
    expect(checks.map((check) => [check.status, check.message])).toEqual([
      ['failed', 'the service could not be restarted: It was not ready within 30 s'],
      ['passed', ''],
    ]);
    expect(checks[0]?.evidence?.at).toBe('steps[0]');
  });
});
