import { availableParallelism } from 'node:os';
import Docker from 'dockerode';
import type { Grading } from '../src/compose.ts';
import { containerName, toCreateOptions } from '../src/sandbox/docker/host-config.ts';
import { toPauseOptions } from '../src/sandbox/docker/pause-process.ts';
import { candidateSpec, graderSpec } from '../src/sandbox/docker/pod-specs.ts';
import { seccompProfileJson } from '../src/sandbox/docker/seccomp.ts';

const PORT = 8080;
const MIB = 1024 ** 2;
const LIMITS = { cpus: 1, memoryBytes: 512 * MIB, pids: 256, files: 4096, wallMs: 60_000 };

/** What somebody's script would do in the grader's container: poll until ready, five requests, exit. */
const CLIENT = `
const http = require('node:http');
const get = (path) => new Promise((resolve, reject) =>
  http.get({ host: '127.0.0.1', port: ${PORT}, path, agent: false }, (response) => {
    response.resume();
    response.on('end', () => resolve(response.statusCode));
  }).on('error', reject));
(async () => {
  for (;;) {
    if (await get('/health').catch(() => 0) === 200) break;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  for (const path of ['/one', '/two', '/three', '/four', '/five']) {
    if (await get(path) !== 200) process.exit(1);
  }
})();`;

interface Images {
  pause: string;
  grader: string;
  candidate: string;
}

/**
 * A run by raw engine calls, one after another, with assay's images and options: create and start pause, candidate
 * and grader; the grader polls to ready and sends five requests; wait for it; remove all three at once.
 */
export async function makeByHand(grading: Grading, candidate: string): Promise<() => Promise<void>> {
  const docker = new Docker();
  const { signal } = new AbortController();
  const [pause, grader] = await Promise.all([
    grading.engine.image('pause', signal),
    grading.engine.image('grader', signal),
  ]);
  const images = { pause, grader, candidate };
  return async () => {
    const containers: Docker.Container[] = [];
    try {
      for (const options of containerOptions(images)) {
        const container = await docker.createContainer(options);
        containers.push(container);
        await container.start();
      }
      const end = (await containers.at(-1)?.wait()) as { StatusCode: number } | undefined;
      if (end?.StatusCode !== 0) {
        throw new Error(`the client ended with ${end?.StatusCode ?? 'nothing'}`);
      }
    } finally {
      await Promise.all(containers.map((container) => container.remove({ force: true, v: true })));
    }
  };
}

/** Pause, candidate and grader, in the order of their creation. */
function containerOptions(images: Images): Docker.ContainerCreateOptions[] {
  const seccomp = seccompProfileJson();
  const owner = { install: 'bench', owner: 'by-hand' };
  const identity = { run: 'by-hand', epoch: 0 };
  const pause = containerName('pause');
  const context = { owner, identity, pause, runtime: undefined, hostCpus: availableParallelism() };
  const candidate = candidateSpec(
    context,
    containerName('candidate'),
    {
      image: images.candidate,
      command: ['node', 'server.js'],
      workdir: '/app',
      env: { PORT: String(PORT) },
      limits: LIMITS,
    },
    undefined,
  );
  const grader = graderSpec(context, containerName('grader'), {
    image: images.grader,
    command: ['node', '-e', CLIENT],
    limits: LIMITS,
  });
  return [
    { ...toPauseOptions({ name: pause, owner, identity, image: images.pause }, seccomp), name: pause },
    { ...toCreateOptions(candidate, seccomp), name: candidate.name },
    { ...toCreateOptions({ ...grader, stdin: false }, seccomp), name: grader.name },
  ];
}
