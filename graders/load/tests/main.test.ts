import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import type { GraderEvent } from '../../../src/domain/grader-protocol.ts';
import { serve } from './load-host.ts';
import { planOf } from './plan-of.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));

/** Runs the grader as the host does: one line in, events out, stdin left open. */
async function grade(input: unknown): Promise<{ code: number | null; events: GraderEvent[]; log: string }> {
  const grader = spawn(process.execPath, ['--import', 'tsx', MAIN], { stdio: 'pipe' });
  let output = '';
  let log = '';
  grader.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  grader.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  grader.stdin.write(`${JSON.stringify(input)}\n`);
  const code = await new Promise<number | null>((resolve) => {
    grader.on('close', resolve);
  });
  const events = output.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as GraderEvent]));
  return { code, events, log };
}

function inputOf(plan: unknown, port: number) {
  return {
    v: 1,
    stage: 'load',
    target: { address: '127.0.0.1', port },
    seed: 's',
    deadlineMs: 600_000,
    plan,
  };
}

const USERS = [{ name: 'U', tasks: [{ name: 'get', request: 'GET /' }], waitTime: { constant: '10ms' } }];

// Starting Node with a compiler takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

describe('the load grader', () => {
  test('hands over checks, a result and done', async () => {
    const service = await serve((_request, response) => response.end());
    try {
      const plan = planOf({ users: USERS, shape: [{ users: 2, for: '200ms' }] });
      const { code, events } = await grade(inputOf(plan, service.port));
      expect(code).toBe(0);
      expect(events.map(({ event }) => event)).toEqual([
        'check',
        'result',
        ...Array<string>(3).fill('artifact'),
        'done',
      ]);
      expect(events[0]).toMatchObject({ check: { id: 'load/errors-1', status: 'passed' } });
      // On a starved machine it may say that it could not measure properly; that is not what this test is about.
      expect(events.at(-1)).toMatchObject({ event: 'done' });
    } finally {
      await service.close();
    }
  });

  test('fails without a done for a plan that is none', async () => {
    const { code, events, log } = await grade(inputOf({ users: [] }, 1));
    expect([code, events]).toEqual([1, []]);
    expect(log).toContain('expected a resolved load plan');
  });
});
