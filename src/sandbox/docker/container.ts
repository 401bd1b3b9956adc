import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import type { ResourceUsage } from '../../domain/grader-protocol.ts';
import { InfraError } from '../../domain/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { DockerClient } from './docker-client.ts';
import { postJson } from './engine-dial.ts';
import { type ContainerSpec, toCreateOptions } from './host-config.ts';
import { type LifeOptions, ProcessLife } from './process-life.ts';
import { removeContainer } from './removal.ts';
import { toResourceUsage } from './resource-usage.ts';

const CREATE_DEADLINE_MS = 30_000;
const ARCHIVE_DEADLINE_MS = 60_000;

/** What every container of one engine is made with. */
export interface ContainerDeps {
  client: DockerClient;
  /** Our seccomp profile as JSON. */
  seccomp: string;
  logger?: Logger;
}

/** A container of ours on the engine. It may live several lives, one after another. */
export class Container {
  readonly name: string;
  readonly spec: ContainerSpec;
  readonly #client: DockerClient;
  #life: ProcessLife | undefined;

  private constructor(client: DockerClient, spec: ContainerSpec) {
    this.#client = client;
    this.name = spec.name;
    this.spec = spec;
  }

  /**
   * Creates it, hardened, not started. The caller removes it by its name, also after an error: a creation that
   * was abandoned may still happen. Throws InfraError or the signal's reason.
   */
  static async create(deps: ContainerDeps, spec: ContainerSpec, signal?: AbortSignal): Promise<Container> {
    await createRaw(deps, spec.name, toCreateOptions(spec, deps.seccomp), signal);
    return new Container(deps.client, spec);
  }

  /** Unpacks a tar below `path`; before the first start only, and never out of a container. Throws InfraError. */
  async putArchive(tar: Buffer, path: string, signal: AbortSignal): Promise<void> {
    if (this.#life) {
      throw new InfraError('SANDBOX_USE', 'an archive was put into a container that had been started');
    }
    await this.#client.call(
      'put an archive into a container',
      () => this.#client.api.getContainer(this.name).putArchive(Readable.from([tar]), { path }),
      { deadlineMs: ARCHIVE_DEADLINE_MS, signal },
    );
  }

  /** Begins a life; errors as `ProcessLife.begin`, and InfraError while the last one still runs. */
  async start(options: LifeOptions, signal: AbortSignal): Promise<ProcessLife> {
    if (this.#life?.running) {
      throw new InfraError('SANDBOX_USE', 'a container was started that still runs');
    }
    this.#life = await ProcessLife.begin(this.#client, this.name, options, signal);
    return this.#life;
  }

  async pause(): Promise<void> {
    await this.#client.call('pause a container', () => this.#client.api.getContainer(this.name).pause());
  }

  async resume(): Promise<void> {
    await this.#client.call('resume a container', () => this.#client.api.getContainer(this.name).unpause());
  }

  /** What it uses now; zeros when it does not run. Throws InfraError. */
  async stats(): Promise<ResourceUsage> {
    const stats = await this.#client.call('read statistics', () =>
      this.#client.api.getContainer(this.name).stats({ stream: false, 'one-shot': true }),
    );
    return toResourceUsage(stats);
  }

  /** Says that it is about to be removed, so that its end counts as asked for. */
  expectRemoval(): void {
    this.#life?.expectRemoval();
  }

  /** Ends and removes it with its anonymous volumes; any number of times. Throws InfraError when it stays. */
  async remove(): Promise<void> {
    this.expectRemoval();
    await removeContainer(this.#client, this.name);
  }
}

/** Creates a container from the engine's own options; the caller made them safe. Errors as `Container.create`. */
export async function createRaw(
  deps: ContainerDeps,
  name: string,
  body: Docker.ContainerCreateOptions,
  signal?: AbortSignal,
): Promise<void> {
  const post = {
    path: '/containers/create',
    query: { name },
    body,
    statusCodes: {
      201: true,
      400: 'bad parameter',
      404: 'no such image',
      409: 'conflict',
      500: 'server error',
    },
  } as const;
  const answer = await deps.client.call('create a container', () => postJson(deps.client, post), {
    deadlineMs: CREATE_DEADLINE_MS,
    ...(signal ? { signal } : {}),
  });
  const { Warnings: warnings } = answer as { Warnings?: string[] | null };
  if (warnings && warnings.length > 0) {
    deps.logger?.warn({ warnings, name }, 'the engine does not enforce every limit');
  }
}
