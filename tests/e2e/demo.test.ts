import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import { listLabelled, listNetworks } from '../helpers/engine-objects.ts';
import { startAssay, startProgram } from '../helpers/service-processes.ts';

const SAMPLES = [
  ['reference-node', 'passed'],
  ['broken-first-draft', 'partial'],
  ['broken-wrong-port', 'failed'],
  ['broken-crashes-at-start', 'failed'],
  ['broken-build-fails', 'failed'],
] as const;

const homes: string[] = [];
afterAll(async () => {
  await Promise.all(homes.map((home) => rm(home, { recursive: true, force: true })));
});

async function makeHome(): Promise<string> {
  const home = await mkdtemp(join(tmpdir(), 'assay-demo-'));
  homes.push(home);
  return home;
}

/** The label of everything that the demo's installation has on the engine. */
async function labelOf(home: string): Promise<string> {
  return `assay.install=${(await readFile(join(home, 'demo', 'install-id'), 'utf8')).trim()}`;
}

async function removeData(home: string): Promise<void> {
  const reset = startAssay(['services', 'reset', '--yes'], { ASSAY_HOME: join(home, 'demo') });
  expect(await reset.ended(), reset.output()).toBe(0);
}

it('ends soon after Ctrl-C and leaves nothing running', async () => {
  const home = await makeHome();
  const demo = startProgram('bin/demo.ts', [], { ASSAY_HOME: home });
  await demo.says(/reference-node +uploaded/);
  const began = performance.now();

  demo.signal('SIGINT');

  expect(await demo.ended(), demo.output()).toBe(130);
  expect(performance.now() - began, demo.output()).toBeLessThan(180_000);
  const label = await labelOf(home);
  // The database and the queue stay for the next time, stopped. The engine may still be taking away a pod.
  await vi.waitFor(
    async () => {
      expect((await listLabelled(label)).filter((name) => name.includes('running'))).toEqual([]);
      expect(await listNetworks(label)).toEqual([]);
    },
    { timeout: 60_000, interval: 500 },
  );
  await removeData(home);
});

it('the demo shows five verdicts, writes their reports, and its data can be removed', async () => {
  const home = await makeHome();
  const demo = startProgram('bin/demo.ts', [], { ASSAY_HOME: home });

  expect(await demo.ended(), demo.output()).toBe(0);
  for (const [name, verdict] of SAMPLES) {
    expect(demo.output()).toMatch(new RegExp(`^✓ ${name} +${verdict} +${verdict} +\\d`, 'm'));
    const page = await readFile(join(home, 'reports', `demo-${name}.html`), 'utf8');
    expect(page).toContain('</html>');
  }
  expect(demo.output()).toContain(join(home, 'reports', 'demo-reference-node.html'));

  const label = await labelOf(home);
  expect(
    (await listLabelled(label)).filter((name) => !/-(postgres|redis)(-data)?( exited)?$/.test(name)),
  ).toEqual([]);
  await removeData(home);
  expect(await listLabelled(label)).toEqual([]);
  expect(await listNetworks(label)).toEqual([]);
  expect(await readdir(join(home, 'demo', 'uploads'))).toEqual([]);
});
