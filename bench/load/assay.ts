import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { GraderEventSchema } from '../../src/domain/grader-protocol.ts';
import { LoadPlanSchema, resolveLoadPlan } from '../../src/domain/load-plan.ts';
import { LoadResultSchema } from '../../src/domain/report.ts';
import type { LoadResult } from '../../src/domain/report.ts';
import { graderFiles } from '../../src/sandbox/docker/image-graders.ts';
import { startGenerator } from './processes.ts';

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
  const child = startGenerator(['node', grader]);
  const target = { address: '127.0.0.1', port };
  child.stdin?.write(
    `${JSON.stringify({ v: 1, stage: 'load', target, seed: 'bench', deadlineMs: 1_800_000, plan })}\n`,
  );
  return child;
}

/** Plays the host until the grader is done. */
export async function finishAssay(child: ChildProcess): Promise<LoadResult> {
  let result: LoadResult | undefined;
  child.stderr?.pipe(process.stderr);
  if (!child.stdout) {
    throw new Error('the grader has no output');
  }
  for await (const line of createInterface({ input: child.stdout })) {
    const event = GraderEventSchema.parse(JSON.parse(line));
    if (event.event === 'control') {
      child.stdin?.write(`${JSON.stringify({ id: event.id, ok: false, error: 'not here' })}\n`);
    } else if (event.event === 'result') {
      result = LoadResultSchema.parse(event.result);
    }
  }
  if (!result) {
    throw new Error('the grader ended without a result');
  }
  return result;
}
