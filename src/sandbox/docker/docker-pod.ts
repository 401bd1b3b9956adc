import { InfraError } from '../../domain/errors.ts';
import type {
  Candidate,
  CandidateSpec,
  GraderProcess,
  GraderSpec,
  Listener,
  Pod,
  PodSpec,
  ProbeResult,
  Sidecar,
  SidecarSpec,
} from '../sandbox-engine.ts';
import { Container, type ContainerDeps } from './container.ts';
import { DockerCandidate } from './docker-candidate.ts';
import { DockerGrader } from './docker-grader.ts';
import { DockerSidecar } from './docker-sidecar.ts';
import { containerName } from './host-config.ts';
import { takeHostLock } from './host-lock.ts';
import type { Owner } from './labels.ts';
import type { PauseProcess } from './pause-process.ts';
import { countSockets, listeners, probe } from './pod-network.ts';
import { PodObjects } from './pod-objects.ts';
import { candidateSpec, graderSpec, holderSpec, type PodContext, sidecarSpec } from './pod-specs.ts';

export interface DockerPodOptions {
  deps: ContainerDeps;
  owner: Owner;
  spec: PodSpec;
  pause: PauseProcess;
  hostCpus: number;
  runtime: string | undefined;
  /** The pod's first service answers, or the pod is gone: the engine may use its time for others. Called once. */
  onSettled: () => void;
  /** Everything of the pod is gone. */
  onDestroyed: () => void;
}

/** A pod on the engine: the pause and all that join it. */
export class DockerPod implements Pod {
  readonly #options: DockerPodOptions;
  readonly #context: PodContext;
  readonly #objects: PodObjects;
  #settled = false;
  #destroying: Promise<void> | undefined;

  constructor(options: DockerPodOptions) {
    this.#options = options;
    this.#objects = new PodObjects(options.deps.client);
    this.#objects.adopt(options.pause.name);
    this.#context = {
      owner: options.owner,
      identity: { run: options.spec.run, epoch: options.spec.epoch },
      pause: options.pause.name,
      runtime: options.spec.runtime ?? options.runtime,
      hostCpus: options.hostCpus,
    };
  }

  async startCandidate(spec: CandidateSpec, signal: AbortSignal): Promise<Candidate> {
    this.#assertOpen();
    const name = containerName('candidate');
    const holder = spec.data ? containerName('holder') : undefined;
    const volume = spec.data ? name : undefined;
    const own = {
      containers: holder === undefined ? [name] : [name, holder],
      volumes: volume ? [volume] : [],
    };
    return this.#objects.make(own, signal, async () => {
      const { deps } = this.#options;
      const [container] = await Promise.all([
        Container.create(deps, candidateSpec(this.#context, name, spec, volume)),
        holder !== undefined && spec.data && volume !== undefined
          ? this.#startHolder(holder, volume, spec.data.sizeBytes)
          : undefined,
      ]);
      signal.throwIfAborted();
      const candidate = new DockerCandidate(container, spec, () => this.#objects.remove(own, [container]));
      await candidate.start(signal);
      this.#objects.expect(container);
      return candidate;
    });
  }

  async startSidecar(spec: SidecarSpec, signal: AbortSignal): Promise<Sidecar> {
    this.#assertOpen();
    const own = { containers: [containerName('sidecar')], volumes: [] };
    return this.#objects.make(own, signal, async () => {
      const [name] = own.containers as [string];
      const container = await Container.create(this.#options.deps, sidecarSpec(this.#context, name, spec));
      signal.throwIfAborted();
      const remove = () => this.#objects.remove(own, [container]);
      const sidecar = await DockerSidecar.begin(container, spec, remove, signal);
      this.#objects.expect(container);
      return sidecar;
    });
  }

  async startGrader(spec: GraderSpec, signal: AbortSignal): Promise<GraderProcess> {
    this.#assertOpen();
    const name = containerName('grader');
    return this.#objects.make({ containers: [name], volumes: [] }, signal, async () => {
      const container = await Container.create(this.#options.deps, graderSpec(this.#context, name, spec));
      signal.throwIfAborted();
      if (spec.input) {
        await container.putArchive(spec.input, '/input', signal);
      }
      const grader = await DockerGrader.begin(container, spec, signal);
      this.#objects.expect(container);
      return grader;
    });
  }

  async ownHost(signal: AbortSignal): Promise<() => Promise<void>> {
    this.#assertOpen();
    const { deps, owner, pause } = this.#options;
    const holder = { owner, identity: this.#context.identity, pause: pause.name, image: pause.image };
    const id = await takeHostLock(deps.client, deps.seccomp, holder, signal);
    // By id, not by name: after us the name is somebody else's.
    this.#objects.adopt(id);
    return () => this.#objects.remove({ containers: [id], volumes: [] }, []);
  }

  async probe(port: number, path: string, timeoutMs: number): Promise<ProbeResult> {
    const result = await probe(this.#options.pause, port, path, timeoutMs);
    if (result.kind === 'answered') {
      this.#settle();
    }
    return result;
  }

  listeners(): Promise<Listener[]> {
    return listeners(this.#options.pause);
  }

  countSockets(): Promise<number> {
    return countSockets(this.#options.pause);
  }

  destroy(): Promise<void> {
    this.#destroying ??= this.#destroy();
    return this.#destroying;
  }

  async #destroy(): Promise<void> {
    try {
      await this.#objects.removeAll();
      this.#options.onDestroyed();
    } catch (error) {
      // A later call tries again.
      this.#destroying = undefined;
      throw error;
    } finally {
      this.#settle();
    }
  }

  /** Keeps a data volume mounted while the candidate is dead: a tmpfs is emptied when its last user ends. */
  async #startHolder(name: string, volume: string, sizeBytes: number): Promise<void> {
    const { deps } = this.#options;
    await Container.create(
      deps,
      holderSpec(this.#context, name, this.#options.pause.image, volume, sizeBytes),
    );
    await deps.client.call('start a holder', () => deps.client.api.getContainer(name).start());
  }

  #settle(): void {
    if (!this.#settled) {
      this.#settled = true;
      this.#options.onSettled();
    }
  }

  #assertOpen(): void {
    if (this.#destroying) {
      throw new InfraError('POD_LOST', 'the pod was destroyed');
    }
  }
}
