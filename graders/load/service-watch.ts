import type { ControlAction, ControlReply, Series } from '../../src/domain/grader-protocol.ts';

/** What the watch needs of the host: see ControlReply. */
export type AskHost = (action: ControlAction) => Promise<ControlReply>;

/**
 * A dying service's sockets close before the host learns of its end, so `start` may find it running and do
 * nothing. While connections keep failing it is asked again, no more often than this.
 */
const ASK_AGAIN_MS = 250;

/** Looks after the service while the load runs: starts it again when it died, and reads what it uses. */
export class ServiceWatch {
  readonly #ask: AskHost;
  readonly #startMs: number;
  /** What became of the service, one sentence or two for each crash. */
  readonly notes: string[] = [];
  readonly #cpu: [number, number][] = [];
  readonly #memory: [number, number][] = [];
  #asking = false;
  #givenUp = false;
  #askAgainMs = 0;
  #readingStats = false;
  #last: { atMs: number; cpuMs: number } | undefined;

  constructor(ask: AskHost, startMs: number) {
    this.#ask = ask;
    this.#startMs = startMs;
  }

  /** A connection failed. Asks for a start unless one is under way; `start` does nothing to a service that runs. */
  onBrokenConnection(): void {
    const nowMs = performance.now();
    if (this.#asking || this.#givenUp || nowMs < this.#askAgainMs) {
      return;
    }
    this.#asking = true;
    void this.#startAgain(nowMs);
  }

  /** Reads CPU and memory once, without waiting for it. Skipped while an earlier reply is missing. */
  readStats(): void {
    if (!this.#readingStats) {
      this.#readingStats = true;
      void this.#readStats();
    }
  }

  /** The curves of what the service used; empty ones are left out. */
  series(): Series[] {
    return [
      { name: 'candidate.cpu', unit: 'ratio', points: this.#cpu },
      { name: 'candidate.memory', unit: 'bytes', points: this.#memory },
    ].filter((series) => series.points.length > 0);
  }

  async #startAgain(brokenMs: number): Promise<void> {
    const reply = await this.#ask('start');
    if (reply.note !== undefined) {
      const atS = ((brokenMs - this.#startMs) / 1000).toFixed(1);
      this.notes.push(`The service went down ${atS} s into the test. ${reply.note}`);
    }
    if (!reply.ok) {
      this.#givenUp = true;
      this.notes.push(`The service could not be started again: ${reply.error ?? 'no reason was given'}`);
    }
    this.#askAgainMs = performance.now() + ASK_AGAIN_MS;
    this.#asking = false;
  }

  async #readStats(): Promise<void> {
    const { stats } = await this.#ask('stats');
    this.#readingStats = false;
    if (!stats) {
      return;
    }
    const atMs = performance.now();
    const atS = Math.round((atMs - this.#startMs) / 10) / 100;
    // After a restart the CPU time begins anew; that step says nothing.
    if (this.#last && stats.cpuMs >= this.#last.cpuMs) {
      const ratio = (stats.cpuMs - this.#last.cpuMs) / Math.max(1, atMs - this.#last.atMs);
      this.#cpu.push([atS, Math.round(ratio * 1000) / 1000]);
    }
    this.#last = { atMs, cpuMs: stats.cpuMs };
    this.#memory.push([atS, stats.memoryBytes]);
  }
}
