import type { ExitReport } from '../../domain/exit-report.ts';
import type { ResourceUsage } from '../../domain/grader-protocol.ts';
import { InfraError } from '../../domain/errors.ts';
import type { Candidate, CandidateSpec, LogCapture } from '../sandbox-engine.ts';
import type { Container } from './container.ts';
import { LogSink } from './log-capture.ts';
import { PidsWatch } from './pids-watch.ts';
import type { ProcessLife } from './process-life.ts';
import { initFailure } from './start-failure.ts';

/** A candidate's container on the engine, over all its lives. */
export class DockerCandidate implements Candidate {
  readonly #container: Container;
  readonly #spec: CandidateSpec;
  readonly #removeAll: () => Promise<void>;
  readonly #log = new LogSink();
  readonly #pids: PidsWatch;
  /** Its wall-clock limit is over all lives together. */
  readonly #firstStartMs = performance.now();
  #life: ProcessLife | undefined;

  /** `removeAll` removes the container and what belongs to it. */
  constructor(container: Container, spec: CandidateSpec, removeAll: () => Promise<void>) {
    this.#container = container;
    this.#spec = spec;
    this.#removeAll = removeAll;
    this.#pids = new PidsWatch(spec.limits.pids, () => container.stats());
  }

  get running(): boolean {
    return this.#life?.running === true;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { wallMs, memoryBytes, pids } = this.#spec.limits;
    const leftMs = this.#firstStartMs + wallMs - performance.now();
    this.#life = await this.#container.start(
      {
        stdin: false,
        stdout: (payload) => this.#take(payload),
        stderr: (payload) => this.#take(payload),
        pace: this.#log.pace,
        drain: true,
        wallMs: Math.max(1, leftMs),
        onEnd: () => this.#pids.stop(),
        facts: (exitCode) => {
          const startError = initFailure(exitCode, () => this.#log.capture().text);
          return {
            pidsLimitHit: this.#pids.limitHit,
            limits: { memoryBytes, pids, wallMs },
            ...(startError === undefined ? {} : { startError }),
          };
        },
      },
      signal,
    );
    if (this.running) {
      this.#pids.start();
    }
  }

  exit(): Promise<ExitReport> {
    return this.#current().exit();
  }

  async stop(graceMs: number): Promise<ExitReport> {
    await this.#lookAtPids();
    return this.#current().end('stopped', Math.max(1, graceMs));
  }

  async kill(): Promise<ExitReport> {
    await this.#lookAtPids();
    return this.#current().end('killed', 0);
  }

  pause(): Promise<void> {
    return this.#container.pause();
  }

  resume(): Promise<void> {
    return this.#container.resume();
  }

  async stats(): Promise<ResourceUsage> {
    const askedMs = performance.now();
    const usage = await this.#container.stats();
    this.#pids.note(usage, askedMs);
    return usage;
  }

  log(): LogCapture {
    return this.#log.capture();
  }

  async remove(): Promise<void> {
    this.#pids.stop();
    await this.#removeAll();
  }

  async #lookAtPids(): Promise<void> {
    if (this.running) {
      await this.#pids.lookBeforeEnd();
    }
  }

  #take(payload: Buffer): undefined {
    this.#log.write(payload);
    return undefined;
  }

  #current(): ProcessLife {
    if (!this.#life) {
      throw new InfraError('SANDBOX_USE', 'a candidate was asked about before its first start');
    }
    return this.#life;
  }
}
