import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stop } from 'esbuild';
import { GraderEventSchema } from '../../src/domain/grader-protocol.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../src/domain/load-plan.ts';
import { LoadResultSchema } from '../../src/domain/report.ts';
import type { LoadResult } from '../../src/domain/report.ts';
import { graderFiles } from '../../src/sandbox/docker/image-graders.ts';
import { outputOf, SERVER_CPU, startGenerator } from './processes.ts';

const USERS = [
  {
    name: 'User',
    tasks: [
      { name: 'read', weight: 9, request: 'GET /', expect: { status: 200 } },
      { name: 'look', weight: 1, request: 'GET /list', expect: { status: 200, json: { ok: true } } },
    ],
  },
];

/** Bundles the load grader as its image has it. Returns the file. */
export async function bundleAssay(root: string): Promise<string> {
  const bundles = await graderFiles(root);
  const load = bundles.find(({ path }) => path === 'graders/load/main.js');
  const file = join(mkdtempSync(join(tmpdir(), 'bench-')), 'load.mjs');
  writeFileSync(file, load?.content ?? '');
  // Its process would go on, and disturb what is measured.
  await stop();
  return file;
}

/** Starts the bundled load grader on a plan of this shape, as the host would. */
export function startAssay(grader: string, port: number, shape: readonly unknown[]): ChildProcess {
  const plan = resolveLoadPlan(
    'bench.yaml',
    LoadPlanSchema.parse({
      users: USERS,
      shape,
      maxUsers: 4000,
      thresholds: [{ that: 'errors < 1%' }],
    }),
  );
  const child = startGenerator(['node', '--single-threaded', grader]);
  const target = { address: '127.0.0.1', port };
  child.stdin?.write(
    `${JSON.stringify({ v: 1, stage: 'load', target, seed: 'bench', deadlineMs: 1_800_000, plan: { ...plan, serviceCpus: [Number(SERVER_CPU)] } })}\n`,
  );
  return child;
}

/**
 * Plays the host until the grader is done. All that it says is read at the end: this process is not to need CPU time
 * while others measure. Questions stay unanswered but for the first: the curves of the service are left out then.
 */
export async function finishAssay(child: ChildProcess): Promise<LoadResult> {
  child.stderr?.pipe(process.stderr);
  const events = (await outputOf(child))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => GraderEventSchema.parse(JSON.parse(line)));
  const last = events.find((event) => event.event === 'result');
  if (last?.event !== 'result') {
    throw new Error('the grader ended without a result');
  }
  return LoadResultSchema.parse(last.result);
}
