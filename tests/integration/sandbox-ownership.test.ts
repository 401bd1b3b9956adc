import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Container } from '../../src/sandbox/docker/container.ts';
import { containerName } from '../../src/sandbox/docker/host-config.ts';
import { removeContainer } from '../../src/sandbox/docker/removal.ts';
import { seccompProfileJson } from '../../src/sandbox/docker/seccomp.ts';
import { candidateOf, makeTestSandbox, never, objectsOf, untilAnswered } from '../helpers/sandbox.ts';

const OWNER_SCRIPT = fileURLToPath(new URL('sandbox-owner.ts', import.meta.url));
const SERVER = `use IO::Socket::IP; my $s = IO::Socket::IP->new(LocalHost => '0.0.0.0', LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die $!;
  while (my $c = $s->accept()) { while (<$c>) { last if /^\\r?\\n$/ } print $c "HTTP/1.1 200 X\\r\\nContent-Length: 0\\r\\n\\r\\n"; close $c }`;

async function startOwner(...args: string[]): Promise<{ child: ChildProcess; owner: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', OWNER_SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the owner ended with ${String(code)} before it had its pod`);
  });
  const [owner] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [
    string,
  ];
  ended.catch(() => undefined);
  return { child, owner };
}

/** Processes whose command line has all of these words. */
async function guardsOf(pid: number): Promise<number[]> {
  const { readdir, readFile } = await import('node:fs/promises');
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found: number[] = [];
  for (const each of pids) {
    const [line, status] = await Promise.all(
      ['cmdline', 'status'].map((file) => readFile(`/proc/${each}/${file}`, 'utf8').catch(() => '')),
    );
    if (line?.includes('guard-main') && status?.includes(`PPid:\t${pid}\n`)) {
      found.push(Number(each));
    }
  }
  return found;
}

function newInstall(): string {
  return `test-${randomBytes(5).toString('hex')}`;
}

describe('ownership of pods', () => {
  it('removes everything of an owner that was killed with -9, by its guard, within seconds', async () => {
    const { child, owner } = await startOwner(newInstall());
    const sandbox = await makeTestSandbox();
    try {
      const label = `assay.owner=${owner}`;
      // pause, candidate, holder, grader, a volume; and the refilled warm pause may be there by now.
      expect((await objectsOf(sandbox.client, label)).length).toBeGreaterThanOrEqual(5);
      child.kill('SIGKILL');
      await expect.poll(() => objectsOf(sandbox.client, label), { timeout: 10_000 }).toEqual([]);
    } finally {
      await sandbox.engine.close();
    }
  });

  it('finds what is left when the guard was killed as well, in the next sweep of the installation', async () => {
    const install = newInstall();
    const { child, owner } = await startOwner(install);
    const stranger = await makeTestSandbox();
    const sibling = await makeTestSandbox({ install });
    try {
      const guards = await guardsOf(child.pid ?? 0);
      expect(guards).toHaveLength(1);
      process.kill(guards[0] ?? 0, 'SIGKILL');
      child.kill('SIGKILL');
      await once(child, 'exit');
      const label = `assay.owner=${owner}`;
      // The pauses end with their owner's connection, which is how the sweep can tell.
      await expect
        .poll(
          async () => sibling.client.api.listContainers({ filters: { label: [label, 'assay.role=pause'] } }),
          { timeout: 5000 },
        )
        .toEqual([]);
      expect((await stranger.engine.sweep()).removed).toEqual([]);
      expect((await objectsOf(sibling.client, label)).length).toBeGreaterThanOrEqual(5);
      const report = await sibling.engine.sweep();
      expect(report.left).toEqual([]);
      expect(report.removed.length).toBeGreaterThanOrEqual(5);
      expect(await objectsOf(sibling.client, label)).toEqual([]);
    } finally {
      await Promise.all([sibling.engine.close(), stranger.engine.close()]);
    }
  });

  it('disturbs no living owner of the same installation', async () => {
    const install = newInstall();
    const [one, two] = await Promise.all([
      makeTestSandbox({ install, poolSize: 1 }),
      makeTestSandbox({ install }),
    ]);
    try {
      const pod = await one.engine.openPod({ run: 'a', epoch: 1 }, never);
      const data = { path: '/data', sizeBytes: 1024 ** 2 };
      const spec = candidateOf(one.image, ['perl', '-e', SERVER]);
      const candidate = await pod.startCandidate({ ...spec, data }, never);
      await untilAnswered(pod);
      expect(await two.engine.sweep()).toEqual({ removed: [], left: [] });
      await two.engine.close();
      expect(await two.leftovers()).toEqual([]);
      expect(candidate.running).toBe(true);
      expect(await pod.probe(8080, '/', 1000)).toMatchObject({ kind: 'answered' });
    } finally {
      await one.engine.close();
    }
    expect(await one.leftovers()).toEqual([]);
  });

  it('sweeps past an object that does not go', async () => {
    const sandbox = await makeTestSandbox();
    const spec = {
      role: 'probe',
      owner: sandbox.owner,
      identity: { run: 'x', epoch: 1 },
      image: sandbox.image,
      command: ['sleep', '1000'],
      uid: 10_001,
      limits: { cpus: 1, memoryBytes: 32 * 1024 ** 2, pids: 8, files: 64, fileBytes: 1024 },
      network: { kind: 'none' },
      tmpBytes: 65_536,
      expiresAtMs: 1,
    } as const;
    const deps = { client: sandbox.client, seccomp: seccompProfileJson() };
    const names = [containerName('probe'), containerName('probe')];
    for (const name of names) {
      await Container.create(deps, { ...spec, name });
    }
    const real = sandbox.client.call.bind(sandbox.client);
    // One removal that never ends, as behind a wedged container: the other must not wait for it.
    const stuck = (await sandbox.client.api.getContainer(names[0] ?? '').inspect()).Id;
    sandbox.client.call = (what, run, options) =>
      what === `remove container ${stuck}`
        ? real(what, () => new Promise(() => undefined), { ...options, deadlineMs: 700 })
        : real(what, run, options);
    try {
      const report = await sandbox.engine.sweep();
      expect(report.removed).toHaveLength(1);
      expect(report.left).toEqual([{ id: stuck, reason: expect.stringContaining('did not answer') }]);
    } finally {
      sandbox.client.call = real;
      await Promise.all(names.map((name) => removeContainer(sandbox.client, name)));
      await sandbox.engine.close();
    }
    expect(await sandbox.leftovers()).toEqual([]);
  });

  it('ends its guard when it is closed', async () => {
    const before = await guardsOf(process.pid);
    const sandbox = await makeTestSandbox({ poolSize: 1 });
    expect(await guardsOf(process.pid)).toHaveLength(before.length + 1);
    await Promise.all([sandbox.engine.close(), sandbox.engine.close()]);
    expect(await guardsOf(process.pid)).toHaveLength(before.length);
    expect(await sandbox.leftovers()).toEqual([]);
    await expect(sandbox.engine.openPod({ run: 'x', epoch: 1 }, never)).rejects.toMatchObject({
      code: 'SANDBOX_USE',
    });
  });
});

describe('warm pods', () => {
  it('gives a warm pod at once and refills only when the service answers', async () => {
    const sandbox = await makeTestSandbox({ poolSize: 1 });
    const filter = { label: [`assay.owner=${sandbox.owner.owner}`, 'assay.role=pause'] };
    async function pauses(): Promise<number> {
      return (await sandbox.client.api.listContainers({ filters: filter })).length;
    }
    try {
      await expect.poll(pauses, { timeout: 10_000 }).toBe(1);
      // The engine lists a pause a moment before the pool has it.
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      const startedMs = performance.now();
      const pod = await sandbox.engine.openPod({ run: 'warm', epoch: 1 }, never);
      expect(performance.now() - startedMs).toBeLessThan(20);
      await pod.startCandidate(candidateOf(sandbox.image, ['perl', '-e', SERVER]), never);
      expect(await pauses()).toBe(1);
      await untilAnswered(pod);
      await expect.poll(pauses, { timeout: 10_000 }).toBe(2);
      await pod.destroy();
      expect(await pauses()).toBe(1);
    } finally {
      await sandbox.engine.close();
    }
    expect(await sandbox.leftovers()).toEqual([]);
  });
});
