import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildLimits } from '../../src/domain/limits.ts';
import { buildSubmission, type SubmissionBuild } from '../../src/grading/build-submission.ts';
import { decideStartPlan } from '../../src/grading/start-plan.ts';
import { makeBuilder } from '../../src/sandbox/docker/build.ts';
import { DockerClient } from '../../src/sandbox/docker/docker-client.ts';
import { makeImageStore } from '../../src/sandbox/docker/images.ts';
import { removeContainer } from '../../src/sandbox/docker/removal.ts';
import { seccompProfileJson } from '../../src/sandbox/docker/seccomp.ts';
import { registrySettingsDigest, type RegistrySettings } from '../../src/shared/registry-settings.ts';
import { submissionOf } from './canonical-submission.ts';

const MIB = 1024 ** 2;
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What one test wants otherwise than the rest. */
export interface BuildWishes {
  limits?: Partial<BuildLimits>;
  scope?: string;
  settings?: Partial<RegistrySettings>;
  signal?: AbortSignal;
  onLog?: (chunk: string) => void;
}

/** A builder of an installation of its own. */
export function makeTestBuilds(settings: RegistrySettings) {
  const client = new DockerClient();
  const install = `test-${randomBytes(5).toString('hex')}`;
  const cacheDir = join(tmpdir(), 'assay-test-cache');
  const images = makeImageStore({ client, root: ROOT, cacheDir, childEnv: process.env });

  function builderOf(wanted: RegistrySettings) {
    return makeBuilder({
      client,
      owner: { install, owner: `owner-${install}` },
      seccomp: seccompProfileJson(),
      registries: () => Promise.resolve(wanted),
      hostCpus: 2,
    });
  }
  const builder = builderOf(settings);

  return {
    client,
    install,
    builder,
    runtimeImage: (name: string) => images.image(`runtime-${name}`, AbortSignal.timeout(600_000)),
    async build(files: Record<string, string | Buffer>, wishes: BuildWishes = {}): Promise<SubmissionBuild> {
      const submission = submissionOf(files);
      const wanted = { ...settings, ...wishes.settings };
      const used = wishes.settings ? builderOf(wanted) : builder;
      return buildSubmission(
        {
          image: (name, signal) => images.image(name, signal),
          build: (plan, signal) => used.build(plan, signal),
        },
        {
          submission,
          plan: decideStartPlan(submission, ['node', 'python', 'go']),
          network: 'registries',
          registries: registrySettingsDigest(wanted),
          limits: {
            cpus: 2,
            memoryBytes: 1024 * MIB,
            pids: 256,
            diskBytes: 256 * MIB,
            wallMs: 60_000,
            ...wishes.limits,
          },
          scope: wishes.scope ?? 'candidate',
          run: { run: 'test', epoch: 1 },
          ...(wishes.onLog ? { onLog: wishes.onLog } : {}),
        },
        wishes.signal ?? AbortSignal.timeout(110_000),
      );
    },
    /** Runs a command in a built image, as the service would run: another process tree, no network, read-only. */
    async run(image: string, command: readonly string[]): Promise<string> {
      const container = await client.api.createContainer({
        Image: image,
        Cmd: [...command],
        Tty: true,
        HostConfig: { NetworkMode: 'none', ReadonlyRootfs: true },
      });
      try {
        await container.start();
        await container.wait();
        const log: unknown = await container.logs({ stdout: true, stderr: true });
        return String(log).replaceAll('\r', '');
      } finally {
        await removeContainer(client, container.id);
      }
    },
    /** Containers, volumes and networks of this installation that exist now. */
    async leftovers(): Promise<string[]> {
      const filters = { label: [`assay.install=${install}`] };
      const [containers, volumes, networks] = await Promise.all([
        client.api.listContainers({ all: true, filters }),
        client.api.listVolumes({ filters }),
        client.api.listNetworks({ filters }),
      ]);
      return [
        ...containers.flatMap((one) => one.Names),
        ...(volumes.Volumes ?? []).map((one) => one.Name),
        ...networks.map((one) => one.Name),
      ];
    },
    async cachedImages(): Promise<string[]> {
      const filters = { label: [`assay.install=${install}`, 'assay.cache'] };
      return (await client.api.listImages({ filters })).map((image) => image.Id);
    },
    /** Removes every image of this installation. */
    async removeImages(): Promise<void> {
      for (let left = await this.cachedImages(); left.length > 0; left = await this.cachedImages()) {
        const results = await Promise.allSettled(
          left.map((id) => client.api.getImage(id).remove({ force: true })),
        );
        if (results.every((result) => result.status === 'rejected')) {
          throw new Error(`images are left: ${left.join(', ')}`);
        }
      }
    },
  };
}
