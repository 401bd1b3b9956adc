import { NOT_RUNNING } from '../../src/domain/grader-protocol.ts';
import type { ControlReply, ServiceAction } from '../../src/domain/grader-protocol.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatMs } from '../../src/domain/units.ts';
import { CheckFailure } from './failures.ts';

/** The round trip to the host; `Protocol.control` is one. */
export type Control = (action: ServiceAction, options: { graceMs?: number }) => Promise<ControlReply>;

/** How long the end of a process may take to reach the host after its connections broke. */
const SETTLE_MS = 2000;
const SETTLE_STEP_MS = 20;

/** What is asked of an action beyond that it is carried out. */
interface Terms {
  /** Between SIGTERM and SIGKILL, ms. */
  grace?: number | undefined;
  orderly?: true | undefined;
  readyWithin?: number | undefined;
}

/** What the host says about a service that failed to answer. */
export interface Recovery {
  /** What became of the process, when it had ended: "It ended by itself with code 1." */
  note: string | undefined;
}

/** The service as the suite sees it: acts on it, and brings it back after a crash. One per stage. */
export class ServiceControl {
  readonly #control: Control;
  readonly #answers: () => Promise<boolean>;
  /** Down or frozen because the suite asked for it. */
  #state: 'up' | 'down' | 'paused' = 'up';
  #blocked: string | undefined;
  #waitedMs = 0;
  /** Shrinks to nothing for a process that runs but listens no more: it is waited for once. */
  #settleMs = SETTLE_MS;

  /** `answers` tells whether the service takes connections and answers now. */
  constructor(control: Control, answers: () => Promise<boolean>) {
    this.#control = control;
    this.#answers = answers;
  }

  /** Why no further check can run, or undefined. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /** Time spent waiting for the host to act, ms. */
  get waitedMs(): number {
    return this.#waitedMs;
  }

  /** Carries out a service step. Throws a `CheckFailure` when the service does not come up (again). */
  async act(action: Exclude<ServiceAction, 'stats'>, terms: Terms = {}): Promise<void> {
    const reply = await this.#ask(action, terms.grace);
    // After a refusal nobody knows; `restore` then sees to it that the service runs.
    this.#state = reply.ok ? AFTER[action] : 'down';
    if (!reply.ok) {
      const reason = withoutStop(reply.error ?? 'no reason was given');
      throw new CheckFailure(`the service could not be ${PAST[action]}: ${reason}`);
    }
    if (reply.note !== undefined) {
      throw new CheckFailure(`the service had ended before it could be ${PAST[action]}. ${reply.note}`);
    }
    if (terms.orderly && reply.forced) {
      const grace = terms.grace === undefined ? 'the grace' : formatMs(terms.grace);
      throw new CheckFailure(`the service did not end within ${grace} of SIGTERM and had to be killed`);
    }
    // As the host measured it: the end of the process before and the start of a container are not the service's time.
    const tookMs = Math.round(reply.readyMs ?? 0);
    if (terms.readyWithin !== undefined && tookMs > terms.readyWithin) {
      const message = `the service was ready after ${formatMs(tookMs)}, expected within ${formatMs(terms.readyWithin)}`;
      throw new CheckFailure(message, { expected: formatMs(terms.readyWithin), actual: formatMs(tookMs) });
    }
  }

  /**
   * What the service's memory comes to now; undefined when the host cannot tell. Throws a `CheckFailure` when the
   * service does not run.
   */
  async memoryBytes(): Promise<number | undefined> {
    const reply = await this.#ask('stats', undefined);
    if (!reply.ok && reply.error === NOT_RUNNING) {
      throw new CheckFailure(NOT_RUNNING);
    }
    return reply.stats?.memoryBytes;
  }

  /**
   * After a connection failed: sees to it that the service runs, and tells what had become of it. Its sockets close
   * before the host learns of its end, so one that answers nobody is asked after again for a while.
   */
  async recover(): Promise<Recovery> {
    let recovery: Recovery = { note: undefined };
    for (let waitedMs = 0; waitedMs <= this.#settleMs; waitedMs += SETTLE_STEP_MS) {
      await sleep(SETTLE_STEP_MS);
      recovery = await this.#start();
      if (recovery.note !== undefined || this.#blocked !== undefined || (await this.#answers())) {
        return recovery;
      }
    }
    this.#settleMs = 0;
    return recovery;
  }

  /** Whether the service takes connections and answers now. */
  async isUp(): Promise<boolean> {
    return await this.#answers();
  }

  /** Undoes what the check that just ended has asked for, so that the next finds the service up. */
  async restore(): Promise<void> {
    if (this.#state === 'paused') {
      await this.#ask('resume', undefined);
    } else if (this.#state === 'down') {
      await this.#start();
    }
    this.#state = 'up';
  }

  async #start(): Promise<Recovery> {
    const reply = await this.#ask('start', undefined);
    if (!reply.ok) {
      this.#blocked = reply.error ?? 'it could not be started';
    }
    return { note: reply.note };
  }

  async #ask(action: ServiceAction, graceMs: number | undefined): Promise<ControlReply> {
    const begin = performance.now();
    try {
      return await this.#control(action, graceMs === undefined ? {} : { graceMs });
    } finally {
      this.#waitedMs += performance.now() - begin;
    }
  }
}

const PAST = {
  start: 'started',
  stop: 'stopped',
  kill: 'killed',
  restart: 'restarted',
  pause: 'paused',
  resume: 'resumed',
} as const;
const AFTER = {
  start: 'up',
  stop: 'down',
  kill: 'down',
  restart: 'up',
  pause: 'paused',
  resume: 'up',
} as const;

function withoutStop(sentence: string): string {
  return sentence.replace(/\.$/, '');
}
