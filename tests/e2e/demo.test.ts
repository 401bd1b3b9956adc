import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listLabelled } from '../helpers/engine-objects.ts';
import { startAssay, startProgram } from '../helpers/service-processes.ts';

const SAMPLES = [
  ['reference-node', 'passed'],
  ['broken-first-draft', 'partial'],
  ['broken-wrong-port', 'failed'],
  ['broken-crashes-at-start', 'failed'],
  ['broken-build-fails', 'failed'],
] as const;

let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'assay-demo-'));
});
afterAll(async () => {
  await rm(home, { recursive: true, force: true });
});

/** Everything that the demo's installation has on the engine. */
async function listOurs(): Promise<string[]> {
  const install = (await readFile(join(home, 'demo', 'install-id'), 'utf8')).trim();
  return await listLabelled(`assay.install=${install}`);
}

it('ends within seconds of Ctrl-C and leaves nothing running', async () => {
  const demo = startProgram('bin/demo.ts', [], { ASSAY_HOME: home });
  await demo.says(/reference-node +uploaded/);
  const began = performance.now();

  demo.signal('SIGINT');

  expect(await demo.ended(), demo.output()).toBe(130);
  expect(performance.now() - began, demo.output()).toBeLessThan(60_000);
  // The database and the queue stay for the next time, stopped.
  expect((await listOurs()).filter((name) => name.includes('running'))).toEqual([]);
});

it('the demo shows five verdicts, writes their reports, and its data can be removed', async () => {
  const demo = startProgram('bin/demo.ts', [], { ASSAY_HOME: home });

  expect(await demo.ended(), demo.output()).toBe(0);
  for (const [name, verdict] of SAMPLES) {
    expect(demo.output()).toMatch(new RegExp(`^✓ ${name} +${verdict} +${verdict} +\\d`, 'm'));
    const page = await readFile(join(home, 'reports', `demo-${name}.html`), 'utf8');
    expect(page).toContain('</html>');
  }
  expect(demo.output()).toContain(join(home, 'reports', 'demo-reference-node.html'));

  expect((await listOurs()).filter((name) => !/-(postgres|redis)(-data)?( exited)?$/.test(name))).toEqual([]);
  const reset = startAssay(['services', 'reset', '--yes'], { ASSAY_HOME: join(home, 'demo') });
  expect(await reset.ended(), reset.output()).toBe(0);
  expect(await listOurs()).toEqual([]);
  expect(await readdir(join(home, 'demo', 'uploads'))).toEqual([]);
});
