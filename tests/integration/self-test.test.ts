import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makeDockerEngine } from '../../src/sandbox/docker/docker-engine.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import { removeContainer } from '../../src/sandbox/docker/removal.ts';
import { openCanary } from '../../src/sandbox/docker/self-test-canary.ts';
import { findFileLimit } from '../../src/sandbox/docker/self-test-file-limit.ts';
import { parseProbe, probeCommand, type ProbeFacts } from '../../src/sandbox/docker/self-test-probe.ts';
import { formatProofs, isProven, proveSandbox } from '../../src/sandbox/docker/self-test.ts';
import type { SandboxEngine } from '../../src/sandbox/sandbox-engine.ts';

const client = new DockerClient();
const signal = new AbortController().signal;
const owner = { install: `self-test-${randomUUID()}`, owner: `test-${process.pid}` };
const images = makeImageStore({
  client,
  root: resolve('.'),
  cacheDir: resolve('.assay/cache'),
  childEnv: process.env,
});
let engine: SandboxEngine;
let image = '';

beforeAll(async () => {
  image = await images.image('base', signal);
  engine = await makeDockerEngine({
    client,
    owner,
    poolSize: 0,
    images,
    build: () => Promise.reject(new Error('nothing is built here')),
  });
});

afterAll(async () => {
  await engine.close();
  const filters = { label: [`assay.install=${owner.install}`] };
  expect(await client.api.listContainers({ all: true, filters })).toEqual([]);
});

/** The same probe under the engine's own settings, on its bridge: what our settings are measured against. */
async function probeUnprotected(port: number): Promise<ProbeFacts> {
  const gateway = (await client.api.getNetwork('bridge').inspect()).IPAM?.Config?.[0]?.Gateway as
    | string
    | undefined;
  const container = await client.api.createContainer({
    Image: image,
    Cmd: probeCommand([{ address: gateway ?? '172.17.0.1', port }]),
    Labels: { app: 'assay-test' },
    // Its log is plain text then, without the engine's frames.
    Tty: true,
    // Bounded all the same: it forks and allocates until something stops it.
    HostConfig: {
      PidsLimit: 64,
      Memory: 128 * 1024 ** 2,
      MemorySwap: 128 * 1024 ** 2,
      Tmpfs: { '/tmp': 'size=32m' },
    },
  });
  try {
    await container.start();
    await container.wait();
    const logs = await container.logs({ stdout: true });
    return parseProbe(logs.toString('utf8').replaceAll('\r', ''));
  } finally {
    await removeContainer(client, container.id);
  }
}

describe('self-test', () => {
  test('proves the sandbox of this engine in under five seconds', async () => {
    const started = Date.now();
    const proofs = await proveSandbox({ engine, image }, signal);
    expect(isProven(proofs), formatProofs(proofs)).toBe(true);
    expect(Date.now() - started).toBeLessThan(5000);
  });

  test('would notice a sandbox that is none', async () => {
    const canary = await openCanary();
    try {
      expect(await canary.seesConnection()).toBe(true);
      const facts = await probeUnprotected(canary.port);
      expect(facts.complete).toBe(true);
      expect(canary.connections()).toBeGreaterThan(0);
      expect([...facts.connections.values()]).toContain('connected');
      expect(facts.interfaces.get('eth0')).toBe('up');
      expect(facts.status.get('Uid')).toBe('0');
      expect(facts.status.get('CapEff')).not.toMatch(/^0+$/);
      expect(facts.writes.get('/etc/probe')).toBe('allowed');
      // The engine's own profile lets at least one of these through; ours refuses them all.
      const doors = ['io_uring_setup', 'AF_VSOCK', 'AF_ALG', 'AF_NETLINK_AUDIT'];
      expect(doors.filter((name) => facts.syscalls.get(name) !== 'EPERM')).not.toEqual([]);
    } finally {
      await canary.close();
    }
  });

  test('the open-files limit it finds can be given to a container', async () => {
    const limit = await findFileLimit(client, owner, image, Date.now(), signal);
    expect(limit).toBeGreaterThanOrEqual(1024);
    const container = await client.api.createContainer({
      Image: image,
      Cmd: ['true'],
      Labels: { app: 'assay-test' },
      HostConfig: {
        NetworkMode: 'none',
        CapDrop: ['ALL'],
        Ulimits: [{ Name: 'nofile', Soft: limit, Hard: limit }],
      },
    });
    try {
      await container.start();
    } finally {
      await removeContainer(client, container.id);
    }
  });
});
