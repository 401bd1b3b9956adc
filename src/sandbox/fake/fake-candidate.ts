import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import type { ResourceUsage } from '../../domain/grader-protocol.ts';
import { LogSink } from '../docker/log-capture.ts';
import type { Candidate, CandidateSpec, Listener, LogCapture } from '../sandbox-engine.ts';
import { FakeLife } from './fake-life.ts';
import type { FakeListenOptions, FakeScript, FakeService } from './fake-script.ts';

const DEFAULT_PORT = 8080;
const START_FAILURE_EXIT = 127;
const OOM_EXIT = 137;

/** A candidate whose process is a script. */
export class FakeCandidate implements Candidate {
  readonly #spec: CandidateSpec;
  readonly #script: FakeScript;
  readonly #onRemove: () => void;
  readonly #log = new LogSink();
  readonly #data: Map<string, string> | undefined;
  readonly #ports = new Map<number, FakeListenOptions>();
  #usage = { cpuMs: 0, memoryBytes: 0 };
  #paused = false;
  #lives = 0;
  #life: FakeLife | undefined;
  #removed = false;

  constructor(spec: CandidateSpec, script: FakeScript, onRemove: () => void) {
    this.#spec = spec;
    this.#script = script;
    this.#onRemove = onRemove;
    this.#data = spec.data ? new Map() : undefined;
  }

  get running(): boolean {
    return this.#life?.running === true;
  }

  /** How it answers a probe of this port; undefined when nothing listens there. */
  listener(port: number): FakeListenOptions | 'never' | undefined {
    const found = this.running ? this.#ports.get(port) : undefined;
    return found && this.#paused ? 'never' : found;
  }

  listeners(): Listener[] {
    const ports = this.running ? [...this.#ports] : [];
    return ports.map(([port, options]) => ({ address: options.address ?? '0.0.0.0', port }));
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#removed || this.running) {
      throw new InfraError('SANDBOX_USE', 'a container was started that still runs or is gone');
    }
    this.#ports.clear();
    this.#paused = false;
    this.#lives += 1;
    const life = new FakeLife(this.#spec.limits);
    this.#life = life;
    const run = this.#script.candidate ?? listenForEver;
    run(this.#service(life, this.#lives), this.#spec);
  }

  exit(): Promise<ExitReport> {
    return this.#current().exit();
  }

  stop(graceMs: number): Promise<ExitReport> {
    return this.#current().end('stopped', Math.max(1, graceMs));
  }

  kill(): Promise<ExitReport> {
    return this.#current().end('killed', 0);
  }

  pause(): Promise<void> {
    this.#script.onCall?.('pause');
    this.#paused = true;
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#script.onCall?.('resume');
    this.#paused = false;
    return Promise.resolve();
  }

  stats(): Promise<ResourceUsage> {
    const pids = this.running ? this.#current().pids : 0;
    return Promise.resolve(this.running ? { ...this.#usage, pids } : { cpuMs: 0, memoryBytes: 0, pids });
  }

  log(): LogCapture {
    return this.#log.capture();
  }

  async remove(): Promise<void> {
    this.#removed = true;
    if (this.running) {
      await this.kill();
    }
    this.#onRemove();
  }

  #service(life: FakeLife, number: number): FakeService {
    function whileAlive(act: () => void): void {
      if (life.running) {
        act();
      }
    }
    return {
      life: number,
      data: this.#data,
      signal: life.signal,
      log: (text) => whileAlive(() => this.#log.write(Buffer.from(text))),
      listen: (port, options = {}) => whileAlive(() => this.#ports.set(port, options)),
      exit: (exitCode) => life.finish({ exitCode }),
      runOutOfMemory: () => life.finish({ exitCode: OOM_EXIT, oomKilled: true }),
      failToStart: (reason) => life.finish({ exitCode: START_FAILURE_EXIT, startError: reason }),
      use: ({ pids, ...usage }) => {
        this.#usage = { ...this.#usage, ...usage };
        life.setPids(pids ?? life.pids);
      },
      onTerminate: (react) => life.onTerminate(react),
    };
  }

  #current(): FakeLife {
    if (!this.#life) {
      throw new InfraError('SANDBOX_USE', 'a candidate was asked about before its first start');
    }
    return this.#life;
  }
}

function listenForEver(service: FakeService): void {
  service.listen(DEFAULT_PORT);
}
