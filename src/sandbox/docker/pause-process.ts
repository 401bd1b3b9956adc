import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import type Docker from 'dockerode';
import { InfraError } from '../../domain/errors.ts';
import type { ImageId, RunIdentity } from '../sandbox-engine.ts';
import { attachContainer } from './attach.ts';
import { type ContainerDeps, createRaw } from './container.ts';
import { Demux } from './demux.ts';
import { lockdown, POD_LABEL } from './host-config.ts';
import { labelsFor, type Owner } from './labels.ts';

const MIB = 1024 ** 2;
const MAX_ANSWER_CHARS = 64 * 1024;

export interface PauseSpec {
  name: string;
  owner: Owner;
  identity: RunIdentity;
  image: ImageId;
}

interface PendingAnswer {
  resolve: (answer: string) => void;
  reject: (error: Error) => void;
  timer: NodeJS.Timeout;
}

/**
 * A running pause and the line protocol with it (docker/pause/pause.c). It ends when our connection does, so a
 * pod whose owner died shows itself on the engine.
 */
export class PauseProcess {
  readonly name: string;
  readonly image: ImageId;
  readonly #stream: Duplex;
  readonly #pending = new Map<string, PendingAnswer>();
  #nextId = 1;
  #partial = '';
  #alive = true;

  /**
   * Creates and starts a pause. The caller removes it by its name, also after an error. Throws InfraError or the
   * signal's reason.
   */
  static async begin(deps: ContainerDeps, spec: PauseSpec, signal: AbortSignal): Promise<PauseProcess> {
    await createRaw(deps, spec.name, toPauseOptions(spec, deps.seccomp));
    signal.throwIfAborted();
    const stream = await attachContainer(deps.client, spec.name, true, signal);
    try {
      await deps.client.call('start a pause', () => deps.client.api.getContainer(spec.name).start(), {
        signal,
      });
    } catch (error) {
      stream.destroy();
      throw error;
    }
    return new PauseProcess(spec, stream);
  }

  private constructor(spec: PauseSpec, stream: Duplex) {
    this.name = spec.name;
    this.image = spec.image;
    this.#stream = stream;
    const demux = new Demux({
      stdout: (payload) => this.#takeOutput(payload.toString('latin1')),
      stderr: () => undefined,
    });
    demux.on('error', () => stream.destroy());
    stream.on('error', () => undefined);
    stream.once('close', () => this.#lose());
    stream.pipe(demux);
  }

  /** False when the engine closed the connection: the pause has ended, and its pod is lost. */
  get alive(): boolean {
    return this.#alive;
  }

  /** Sends one request and gives its answer without the id. Throws InfraError when none comes in time. */
  ask(request: string, timeoutMs: number): Promise<string> {
    if (!this.#alive) {
      return Promise.reject(lostError());
    }
    const id = String(this.#nextId++);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new InfraError('ENGINE_TIMEOUT', `a pod did not answer "${request}" within ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#stream.write(`${id} ${request}\n`);
    });
  }

  /** Lets go of it; it ends by itself. */
  async release(): Promise<void> {
    if (!this.#stream.closed) {
      const closed = once(this.#stream, 'close');
      this.#stream.destroy();
      await closed;
    }
  }

  #takeOutput(text: string): undefined {
    const lines = (this.#partial + text).split('\n');
    this.#partial = lines.pop() ?? '';
    if (this.#partial.length > MAX_ANSWER_CHARS) {
      this.#stream.destroy();
    }
    for (const line of lines) {
      const space = line.indexOf(' ');
      const id = line.slice(0, space);
      const pending = this.#pending.get(id);
      if (pending) {
        this.#pending.delete(id);
        clearTimeout(pending.timer);
        pending.resolve(line.slice(space + 1));
      }
    }
    return undefined;
  }

  #lose(): void {
    this.#alive = false;
    for (const { reject, timer } of this.#pending.values()) {
      clearTimeout(timer);
      reject(lostError());
    }
    this.#pending.clear();
  }
}

/** The engine's create options for a pause. Pure. */
export function toPauseOptions(spec: PauseSpec, seccomp: string): Docker.ContainerCreateOptions {
  return {
    Image: spec.image,
    User: '10000:10000',
    Entrypoint: ['/pause'],
    Cmd: [],
    // Shared by all who join the pod.
    Hostname: 'assay',
    Labels: { ...labelsFor(spec.owner, spec.identity, 'pause'), [POD_LABEL]: spec.name },
    Healthcheck: { Test: ['NONE'] },
    Tty: false,
    AttachStdin: true,
    OpenStdin: true,
    // End of input, and so its end, follows from the end of our connection.
    StdinOnce: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      ...lockdown(seccomp),
      // It is one process that starts no other.
      Init: false,
      NetworkMode: 'none',
      // The engine turns IPv6 off in a namespace without networks; services may listen on ::1 only.
      Sysctls: {
        'net.ipv6.conf.all.disable_ipv6': '0',
        'net.ipv6.conf.default.disable_ipv6': '0',
        'net.ipv6.conf.lo.disable_ipv6': '0',
      },
      ReadonlyRootfs: true,
      Memory: 16 * MIB,
      MemorySwap: 16 * MIB,
      PidsLimit: 8,
      Ulimits: [
        { Name: 'nofile', Soft: 64, Hard: 64 },
        { Name: 'core', Soft: 0, Hard: 0 },
      ],
    },
  };
}

function lostError(): InfraError {
  return new InfraError('POD_LOST', 'the pod has ended: the container engine closed its connection', {
    mend: 'look whether the engine was restarted; the run can be repeated',
  });
}
