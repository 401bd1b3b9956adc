import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExitReport } from '../../domain/exit-report.ts';
import { AssayError, InfraError } from '../../domain/errors.ts';
import { attachContainer, openWait } from './attach.ts';
import { Demux, type FrameSink } from './demux.ts';
import { engineStatus, type DockerClient } from './docker-client.ts';
import { type EndRequest, type ExitFacts, toExitReport } from './exit-report.ts';
import type { Pace } from './pace.ts';
import { execFailure } from './start-failure.ts';

const DRAIN_DEADLINE_MS = 1000;
const KILL_DEADLINE_MS = 15_000;
/** A container that was removed while it ran was killed. */
const REMOVED_EXIT_CODE = 137;

export interface LifeOptions {
  stdin: boolean;
  stdout: FrameSink;
  stderr: FrameSink;
  pace?: Pace;
  /** `exit()` waits (bounded) for the output's end; not for who reads its output as a stream of its own. */
  drain: boolean;
  /** Time until it is ended with cause `timeout`, ms. */
  wallMs: number;
  /** What else the exit report needs; asked once, at the end, with the output complete. */
  facts: (exitCode: number) => Pick<ExitFacts, 'pidsLimitHit' | 'startError' | 'limits'>;
  /** Called once when the process has ended or could not be started, before `exit()` resolves. */
  onEnd?: () => void;
  /** Called once when no more output comes. */
  onOutputEnd?: () => void;
}

/** One life of a container's process: from start to exit report. */
export class ProcessLife {
  #running = true;
  #requested: EndRequest | undefined;
  #wallTimer: NodeJS.Timeout | undefined;
  #killTimer: NodeJS.Timeout | undefined;
  #startError: string | undefined;
  readonly #startedMs = performance.now();
  readonly #client: DockerClient;
  readonly #id: string;
  readonly #options: LifeOptions;
  readonly #stream: Duplex;
  readonly #demux: Demux;
  readonly #exit: Promise<ExitReport>;
  #failExit: (error: Error) => void = () => undefined;

  /**
   * Attaches, waits and then starts the process of an existing container, in this order. A command that cannot be
   * executed is no error but an end with cause `start-failed`. Throws InfraError or the signal's reason.
   */
  static async begin(
    client: DockerClient,
    id: string,
    options: LifeOptions,
    signal: AbortSignal,
  ): Promise<ProcessLife> {
    const [attached, waiting] = await Promise.allSettled([
      attachContainer(client, id, options.stdin, signal),
      openWait(client, id, signal),
    ]);
    if (attached.status === 'rejected' || waiting.status === 'rejected') {
      if (attached.status === 'fulfilled') {
        attached.value.destroy();
      }
      if (waiting.status === 'fulfilled') {
        waiting.value.cancel();
      }
      throw attached.status === 'rejected' ? attached.reason : (waiting as PromiseRejectedResult).reason;
    }
    const life = new ProcessLife(client, id, options, attached.value, waiting.value.ended);
    try {
      await client.call('start a container', () => client.api.getContainer(id).start(), { signal });
    } catch (error) {
      waiting.value.cancel();
      const failure = execFailure(error);
      life.#abandon(failure);
      if (failure === undefined) {
        throw error;
      }
    }
    return life;
  }

  private constructor(
    client: DockerClient,
    id: string,
    options: LifeOptions,
    stream: Duplex,
    ended: Promise<void>,
  ) {
    this.#client = client;
    this.#id = id;
    this.#options = options;
    this.#stream = stream;
    this.#demux = this.#connect();
    this.#exit = new Promise((resolve, reject) => {
      this.#failExit = reject;
      this.#follow(ended).then(resolve, reject);
    });
    // Whoever asks hears of it; nobody has to.
    this.#exit.catch(() => undefined);
    this.#wallTimer = setTimeout(() => void this.end('timeout', 0).catch(() => undefined), options.wallMs);
  }

  get running(): boolean {
    return this.#running;
  }

  /** Where stdin is written; ends with the process. */
  get stdin(): Duplex {
    return this.#stream;
  }

  /** The end of this life. Rejects with InfraError when the engine lost track of it. */
  exit(): Promise<ExitReport> {
    return this.#exit;
  }

  /** Ends the process: SIGTERM and SIGKILL after the grace, or SIGKILL at once when the grace is 0. */
  async end(request: EndRequest, graceMs: number): Promise<ExitReport> {
    if (!this.#running) {
      return this.#exit;
    }
    this.#requested ??= request;
    if (graceMs > 0) {
      await this.#signal('SIGTERM');
      const grace = new AbortController();
      await Promise.race([
        this.#exit.catch(() => undefined),
        delay(graceMs, undefined, { signal: grace.signal }).catch(() => undefined),
      ]);
      grace.abort();
    }
    if (this.#running) {
      this.#options.pace?.release();
      await this.#signal('SIGKILL');
      this.#expectEnd();
    }
    return this.#exit;
  }

  /** Not for one that ended while the engine answered: nobody would take the timer back, and it keeps us alive. */
  #expectEnd(): void {
    if (this.#running) {
      this.#killTimer ??= setTimeout(() => {
        this.#failExit(new InfraError('ENGINE_TIMEOUT', 'a killed container did not end'));
      }, KILL_DEADLINE_MS);
    }
  }

  /** Says that the container is about to be removed, so that the end counts as asked for. */
  expectRemoval(): void {
    this.#requested ??= 'killed';
    this.#options.pace?.release();
  }

  #connect(): Demux {
    const { stdout, stderr, pace } = this.#options;
    const demux = new Demux({ stdout, stderr, ...(pace ? { pace } : {}) });
    this.#stream.on('error', () => demux.end());
    this.#stream.on('close', () => demux.end());
    demux.on('error', () => this.#stream.destroy());
    demux.once('close', () => this.#options.onOutputEnd?.());
    this.#stream.pipe(demux);
    return demux;
  }

  async #follow(first: Promise<void>): Promise<ExitReport> {
    let ended = first;
    for (;;) {
      const broken = await ended.then(
        () => false,
        () => true,
      );
      if (this.#startError !== undefined || !broken) {
        break;
      }
      // The connection broke, not the process: look, and wait again while it lives.
      const state = await this.#inspect();
      if (state?.Running !== true) {
        break;
      }
      ended = (await openWait(this.#client, this.#id)).ended;
    }
    this.#settle();
    const [state] = await Promise.all([this.#inspect(), this.#drain()]);
    return this.#report(state);
  }

  #report(state: EngineState | undefined): ExitReport {
    const exitCode = state?.ExitCode ?? REMOVED_EXIT_CODE;
    const requested = this.#requested ?? (state ? undefined : 'killed');
    return toExitReport({
      ...this.#options.facts(exitCode),
      exitCode,
      oomKilled: state?.OOMKilled ?? false,
      wallMs: performance.now() - this.#startedMs,
      ...(requested === undefined ? {} : { requested }),
      ...(this.#startError === undefined ? {} : { startError: this.#startError }),
    });
  }

  #settle(): void {
    this.#running = false;
    clearTimeout(this.#wallTimer);
    clearTimeout(this.#killTimer);
    this.#options.pace?.release();
    this.#options.onEnd?.();
  }

  #abandon(failure: string | undefined): void {
    this.#startError = failure;
    clearTimeout(this.#wallTimer);
    this.#stream.destroy();
  }

  async #drain(): Promise<void> {
    if (!this.#options.drain || this.#startError !== undefined) {
      return;
    }
    const timeout = AbortSignal.timeout(DRAIN_DEADLINE_MS);
    await finished(this.#demux, { signal: timeout }).catch(() => undefined);
  }

  async #inspect(): Promise<EngineState | undefined> {
    try {
      const info = await this.#client.call('inspect a container', () =>
        this.#client.api.getContainer(this.#id).inspect(),
      );
      return info.State;
    } catch (error) {
      if (engineStatus(error) === 404) {
        return undefined;
      }
      throw error;
    }
  }

  async #signal(name: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    try {
      await this.#client.call(`send ${name}`, () =>
        this.#client.api.getContainer(this.#id).kill({ signal: name }),
      );
    } catch (error) {
      const status = engineStatus(error);
      // 409: it has just ended by itself. 404: it is gone.
      if (!(error instanceof AssayError) || (status !== 409 && status !== 404)) {
        throw error;
      }
    }
  }
}

interface EngineState {
  Running: boolean;
  ExitCode: number;
  OOMKilled: boolean;
}
