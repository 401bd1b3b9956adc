import type { ControlAction, ControlReply, ResourceUsage, Series } from '../../src/domain/grader-protocol.ts';
import { busyMs } from './cpu-watch.ts';

/** What the watch needs of the host: see ControlReply. */
export type AskHost = (action: ControlAction) => Promise<ControlReply>;

/**
 * A dying service's sockets close before the host learns of its end, so `start` may find it running and do
 * nothing. While connections keep failing it is asked again, no more often than this.
 */
const ASK_AGAIN_MS = 250;

interface Reading {
  atMs: number;
  usage: ResourceUsage;
  busyMs: number | undefined;
}

/** Looks after the service while the load runs: starts it again when it died, and reads what it uses. */
export class ServiceWatch {
  readonly #ask: AskHost;
  readonly #startMs: number;
  /** What became of the service, one sentence or two for each crash. */
  readonly notes: string[] = [];
  readonly #cpus: readonly number[];
  readonly #cpu: [number, number][] = [];
  readonly #memory: [number, number][] = [];
  readonly #throttled: [number, number][] = [];
  readonly #sockets: [number, number][] = [];
  #othersMs = 0;
  /** CPU time of the reference since the last reading. */
  #turnsMs = 0;
  #watchedMs = 0;
  #asking = false;
  #givenUp = false;
  #askAgainMs = 0;
  #readingStats = false;
  #last: Reading | undefined;

  /** `cpus`: those of the service; none when it has none of its own. */
  constructor(ask: AskHost, startMs: number, cpus: readonly number[] = []) {
    this.#ask = ask;
    this.#cpus = cpus;
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

  /**
   * Has the reference service show how much it can do now, requests/s; undefined when the host cannot. What it takes of
   * the CPU meanwhile is no interference.
   */
  async takeTurn(): Promise<number | undefined> {
    const { turn } = await this.#ask('reference-turn');
    this.#turnsMs += turn?.cpuMs ?? 0;
    return turn?.requestsPerSecond;
  }

  /** The curves of what the service used; empty ones are left out. */
  series(): Series[] {
    return [
      { name: 'candidate.cpu', unit: 'ratio', points: this.#cpu },
      { name: 'candidate.memory', unit: 'bytes', points: this.#memory },
      { name: 'candidate.throttled', unit: 'ratio', points: this.#throttled },
      { name: 'candidate.sockets', unit: 'count', points: this.#sockets },
    ].filter((series) => series.points.length > 0);
  }

  /** The share of the service's CPUs that went to others, 0 to 1; null where that cannot be known. */
  interference(): number | null {
    const share = Math.max(0, this.#othersMs) / this.#watchedMs / this.#cpus.length;
    return this.#watchedMs === 0 ? null : rounded(share);
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
    const reading = { atMs, usage: stats, busyMs: busyMs(this.#cpus) };
    // After a restart the CPU time begins anew; that step says nothing.
    if (this.#last && stats.cpuMs >= this.#last.usage.cpuMs) {
      this.#noteStep(atS, this.#last, reading);
    }
    this.#last = reading;
    this.#turnsMs = 0;
    this.#memory.push([atS, stats.memoryBytes]);
    if (stats.sockets !== undefined) {
      this.#sockets.push([atS, stats.sockets]);
    }
  }

  /** What was used between two readings. */
  #noteStep(atS: number, from: Reading, to: Reading): void {
    const wallMs = Math.max(1, to.atMs - from.atMs);
    const cpuMs = to.usage.cpuMs - from.usage.cpuMs;
    this.#cpu.push([atS, rounded(cpuMs / wallMs)]);
    if (to.usage.throttledMs !== undefined && from.usage.throttledMs !== undefined) {
      this.#throttled.push([atS, rounded((to.usage.throttledMs - from.usage.throttledMs) / wallMs)]);
    }
    if (to.busyMs !== undefined && from.busyMs !== undefined) {
      // It may be below 0 for one step, whose readings were not made at quite the same time.
      this.#othersMs += to.busyMs - from.busyMs - cpuMs - this.#turnsMs;
      this.#watchedMs += wallMs;
    }
  }
}

function rounded(ratio: number): number {
  return Math.round(ratio * 1000) / 1000;
}
