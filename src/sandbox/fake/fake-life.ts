import type { ExitReport } from '../../domain/exit-report.ts';
import { type EndRequest, type ExitFacts, toExitReport } from '../docker/exit-report.ts';

const SIGTERM_EXIT = 143;
const SIGKILL_EXIT = 137;

export interface FakeEnd {
  exitCode: number;
  oomKilled?: boolean;
  startError?: string;
}

/** One life of a process that does not exist: it ends when a script says so or when it is made to. */
export class FakeLife {
  pids = 1;
  readonly #limits: { memoryBytes: number; pids: number; wallMs: number };
  readonly #startedMs = performance.now();
  readonly #aborter = new AbortController();
  readonly #wallTimer: NodeJS.Timeout;
  readonly #exit: Promise<ExitReport>;
  #resolve: (report: ExitReport) => void = () => undefined;
  #requested: EndRequest | undefined;
  #terminate: () => void = () => this.finish({ exitCode: SIGTERM_EXIT });
  #pidsLimitHit = false;

  constructor(limits: { memoryBytes: number; pids: number; wallMs: number }) {
    this.#limits = limits;
    this.#exit = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#wallTimer = setTimeout(() => void this.end('timeout', 0), limits.wallMs);
    this.#wallTimer.unref();
  }

  get running(): boolean {
    return !this.#aborter.signal.aborted;
  }

  /** Aborted at its end. */
  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  exit(): Promise<ExitReport> {
    return this.#exit;
  }

  onTerminate(react: () => void): void {
    this.#terminate = react;
  }

  setPids(pids: number): void {
    this.pids = pids;
    this.#pidsLimitHit ||= pids >= this.#limits.pids;
  }

  /** Ends it; the first end counts. */
  finish(end: FakeEnd): void {
    if (!this.running) {
      return;
    }
    clearTimeout(this.#wallTimer);
    const facts: ExitFacts = {
      exitCode: end.exitCode,
      oomKilled: end.oomKilled ?? false,
      pidsLimitHit: this.#pidsLimitHit,
      wallMs: performance.now() - this.#startedMs,
      limits: this.#limits,
      ...(end.startError === undefined ? {} : { startError: end.startError }),
      ...(this.#requested === undefined ? {} : { requested: this.#requested }),
    };
    this.#aborter.abort();
    this.#resolve(toExitReport(facts));
  }

  /** SIGTERM, then SIGKILL after the grace; SIGKILL at once without one. */
  async end(request: EndRequest, graceMs: number): Promise<ExitReport> {
    if (!this.running) {
      return this.#exit;
    }
    this.#requested ??= request;
    if (graceMs > 0) {
      const killTimer = setTimeout(() => this.finish({ exitCode: SIGKILL_EXIT }), graceMs);
      this.#terminate();
      await this.#exit;
      clearTimeout(killTimer);
    }
    this.finish({ exitCode: SIGKILL_EXIT });
    return this.#exit;
  }
}
