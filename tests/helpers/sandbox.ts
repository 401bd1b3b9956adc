import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makeDockerEngine } from '../../src/sandbox/docker/docker-engine.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import type { Owner } from '../../src/sandbox/docker/labels.ts';
import type {
  CandidateSpec,
  GraderSpec,
  SandboxEngine,
  SidecarSpec,
} from '../../src/sandbox/sandbox-engine.ts';

const MIB = 1024 ** 2;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface TestSandbox {
  engine: SandboxEngine;
  client: DockerClient;
  owner: Owner;
  /** Id of an image with sh, bash and perl. */
  image: string;
  /** Names of containers and volumes of this owner that exist now. */
  leftovers(): Promise<string[]>;
}

/** A signal that nobody aborts. */
export const never = new AbortController().signal;

/** An engine of an installation and owner of its own, so that parallel test files do not meet. */
export async function makeTestSandbox(
  options: { poolSize?: number; install?: string } = {},
): Promise<TestSandbox> {
  const client = new DockerClient();
  const id = randomBytes(5).toString('hex');
  const owner = { install: options.install ?? `test-${id}`, owner: `owner-${id}` };
  const images = makeImageStore({
    client,
    root: ROOT,
    cacheDir: join(tmpdir(), 'assay-test-cache'),
    childEnv: process.env,
  });
  const engine = await makeDockerEngine({
    client,
    owner,
    poolSize: options.poolSize ?? 0,
    images,
    build: () => Promise.reject(new Error('these tests build nothing')),
  });
  return {
    engine,
    client,
    owner,
    image: await images.image('base', never),
    leftovers: () => objectsOf(client, `assay.owner=${owner.owner}`),
  };
}

/** Names of containers and volumes with this label. */
export async function objectsOf(client: DockerClient, label: string): Promise<string[]> {
  const filters = { label: [label] };
  const [containers, volumes] = await Promise.all([
    client.api.listContainers({ all: true, filters }),
    client.api.listVolumes({ filters }),
  ]);
  return [...containers.flatMap((info) => info.Names), ...(volumes.Volumes ?? []).map((info) => info.Name)];
}

/** A candidate of moderate limits that runs `command`. */
export function candidateOf(
  image: string,
  command: readonly string[],
  overrides: Partial<CandidateSpec['limits']> = {},
): CandidateSpec {
  return {
    image,
    command,
    workdir: '/',
    env: { PORT: '8080' },
    limits: { cpus: 1, memoryBytes: 96 * MIB, pids: 64, files: 1024, wallMs: 60_000, ...overrides },
  };
}

/** A grader of moderate limits that runs `command`. */
export function graderOf(
  image: string,
  command: readonly string[],
  overrides: Partial<GraderSpec['limits']> = {},
): GraderSpec {
  return {
    image,
    command,
    limits: { cpus: 1, memoryBytes: 96 * MIB, pids: 64, files: 1024, wallMs: 60_000, ...overrides },
  };
}

/** A sidecar of moderate limits that runs `command` and is ready when it prints "open". */
export function sidecarOf(image: string, command: readonly string[]): SidecarSpec {
  return {
    name: 'test',
    image,
    command,
    env: {},
    uid: 10_003,
    limits: { cpus: 1, memoryBytes: 96 * MIB, pids: 64, files: 1024, wallMs: 60_000 },
    data: { path: '/data', sizeBytes: 4 * MIB },
    ready: { log: 'open', withinMs: 10_000 },
  };
}

/**
 * Probes until the service answers; how long is bounded by `withinMs`. Returns the last result otherwise.
 * The pause of 5 ms between probes is what a start is waited for with.
 */
export async function untilAnswered(
  pod: { probe: SandboxPodProbe },
  port = 8080,
  withinMs = 10_000,
): Promise<Awaited<ReturnType<SandboxPodProbe>>> {
  const untilMs = performance.now() + withinMs;
  for (;;) {
    const result = await pod.probe(port, '/health', 1000);
    if (result.kind === 'answered' || performance.now() > untilMs) {
      return result;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

type SandboxPodProbe = Awaited<ReturnType<SandboxEngine['openPod']>>['probe'];
