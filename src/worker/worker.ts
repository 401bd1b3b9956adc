import { setTimeout as sleep } from 'node:timers/promises';
import type { DeliveryHandler, GradingConsumer } from '../queue/grading-queue.ts';
import { dropOld } from '../shared/drop-old.ts';
import { withDeadline } from '../shared/with-deadline.ts';
import type { WorkerInfo } from '../store/operations-store.ts';
import { makeCheckTurns } from './check-turns.ts';
import type { KeptLease } from './keep-lease.ts';
import { makeSlots } from './slots.ts';
import type { Slots } from './slots.ts';
import { workOnRun } from './work-run.ts';
import type { WorkerDeps } from './worker-deps.ts';

export interface WorkerOptions {
  deps: WorkerDeps;
  host: string;
  slots: number;
  openConsumer: (handle: DeliveryHandler) => GradingConsumer;
  /** Proves the sandbox on the real engine; undefined when every proof holds, else what does not. */
  prove: (signal: AbortSignal) => Promise<string | undefined>;
}

/** A worker at work. */
export interface RunningWorker {
  /** Resolves with undefined once work is taken for the first time, or with why none is taken yet. */
  firstProof: Promise<string | undefined>;
  /**
   * Takes no more work, lets what runs finish for `graceMs`, then gives it back without counting an attempt.
   * Resolves when nothing runs any more.
   */
  stop(graceMs: number): Promise<void>;
}

const BEAT_MS = 5000;
/** Folders that a death has left go after so long: other workers use younger ones. */
const LEFTOVER_MS = 24 * 3_600_000;
const PROVE_AGAIN_MS = 15_000;
const PROOF_DEADLINE_MS = 60_000;
/** After a forced end the sandbox still has to be emptied and the store told. */
const FORCED_END_MS = 20_000;
const CLOSE_MS = 3000;
/** Between two looks of a check whether submissions still wait. */
const ASK_AGAIN_MS = 500;

/** Starts a worker. It takes no work before the sandbox is proven, and none while the engine is in trouble. */
export function startWorker(options: WorkerOptions): RunningWorker {
  const worker = new Worker(options);
  return { firstProof: worker.start(), stop: (graceMs) => worker.stop(graceMs) };
}

class Worker {
  readonly #options: WorkerOptions;
  readonly #consumer: GradingConsumer;
  readonly #slots: Slots;
  readonly #busy = new Map<Promise<void>, KeptLease | undefined>();
  readonly #ended = new AbortController();
  /** Aborted when no more work is taken, for a while or for good: what waits for a slot goes to others. */
  #taking = new AbortController();
  #state: WorkerInfo['state'] = 'unhealthy';
  #reason: string | null = 'the sandbox is not proven yet';
  #started = false;
  /** The time for draining is over: what runs, or is leased only now, is given back. */
  #forced = false;
  #proving: Promise<void> | undefined;
  #beating: Promise<void> | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#slots = makeSlots(options.slots);
    this.#consumer = options.openConsumer((delivery, signal) => this.#take(delivery, signal));
  }

  async start(): Promise<string | undefined> {
    await dropOld(this.#options.deps.workDir, LEFTOVER_MS);
    this.#beating = this.#beat();
    // Kept, so that a stop waits until the proof has taken its sandbox away.
    this.#proving = this.#proveOnce();
    await this.#proving;
    if (this.#state === 'unhealthy') {
      this.#proving = this.#proveUntilItHolds();
    }
    return this.#state === 'unhealthy' ? (this.#reason ?? '') : undefined;
  }

  async stop(graceMs: number): Promise<void> {
    this.#state = 'draining';
    this.#ended.abort();
    await this.#consumer.pause();
    await this.#allIdle(graceMs);
    this.#forced = true;
    for (const lease of this.#busy.values()) {
      lease?.drain();
    }
    await this.#allIdle(FORCED_END_MS);
    await Promise.all([this.#beating, this.#proving]);
    this.#state = 'gone';
    await this.#tellStore();
    await Promise.race([this.#consumer.close().catch(() => undefined), idle(CLOSE_MS)]);
  }

  async #allIdle(withinMs: number): Promise<void> {
    await Promise.race([Promise.allSettled(this.#busy.keys()), idle(withinMs)]);
  }

  async #take(...[delivery, signal]: Parameters<DeliveryHandler>): ReturnType<DeliveryHandler> {
    // A queue that is asked to pause still hands out what it was already asked for.
    if (this.#state !== 'ready') {
      return 'put-back';
    }
    const { deps } = this.#options;
    if (delivery.kind === 'check') {
      const inTurn = makeCheckTurns({
        slots: this.#slots,
        // On an engine in trouble nothing begins. What this worker does not take any more, it need not wait for.
        submissionsWait: async () =>
          this.#state === 'unhealthy' ||
          (this.#state === 'ready' && (await deps.store.runs.submissionsWait())),
        askAgainMs: ASK_AGAIN_MS,
      });
      return await this.#work({ ...deps, inTurn }, delivery, signal);
    }
    // A grading of a check may have the slot; what waits for it is nobody's yet.
    const stopped = AbortSignal.any([signal, this.#ended.signal, this.#taking.signal]);
    const leave = await this.#slots.take(stopped).catch(() => undefined);
    try {
      // The trust in the engine may be gone since.
      if (leave === undefined || this.#state !== 'ready') {
        return 'put-back';
      }
      return await this.#work(deps, delivery, signal);
    } finally {
      leave?.();
    }
  }

  async #work(deps: WorkerDeps, ...[delivery, signal]: Parameters<DeliveryHandler>): Promise<void> {
    let mine: KeptLease | undefined;
    const working = workOnRun(deps, delivery, signal, (lease) => {
      mine = lease;
      this.#busy.set(done, lease);
      if (this.#forced) {
        lease.drain();
      }
    });
    const done = working.then(
      (outcome) => {
        if (outcome.kind === 'failed' && outcome.code.startsWith('ENGINE_')) {
          this.#distrust(outcome.code);
        }
      },
      (error: unknown) => {
        deps.logger.error({ err: error, delivery, leased: mine !== undefined }, 'a delivery failed');
        throw error;
      },
    );
    this.#busy.set(done, mine);
    try {
      await done;
    } finally {
      this.#busy.delete(done);
    }
  }

  /** The engine failed under a run: no new work until the sandbox is proven again. */
  #distrust(code: string): void {
    if (this.#state === 'ready') {
      this.#state = 'unhealthy';
      this.#taking.abort();
      this.#reason = `the container engine failed (${code})`;
      this.#proving = this.#consumer
        .pause()
        .catch((error: unknown) => this.#options.deps.logger.warn({ err: error }, 'the queue has trouble'))
        .then(() => this.#tellStore())
        .then(() => this.#proveUntilItHolds());
    }
  }

  async #proveUntilItHolds(): Promise<void> {
    while (this.#state === 'unhealthy') {
      await sleep(PROVE_AGAIN_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined);
      if (this.#ended.signal.aborted) {
        return;
      }
      await this.#proveOnce();
    }
  }

  async #proveOnce(): Promise<void> {
    const { deps, prove } = this.#options;
    const signal = withDeadline(this.#ended.signal, PROOF_DEADLINE_MS);
    const problem = await prove(signal).catch((error: unknown) =>
      error instanceof Error ? error.message : String(error),
    );
    if (this.#ended.signal.aborted) {
      return;
    }
    if (problem !== undefined) {
      this.#reason = problem;
      deps.logger.error({ problem }, 'the sandbox is not proven; no work is taken');
      return;
    }
    this.#state = 'ready';
    this.#reason = null;
    this.#taking = new AbortController();
    if (this.#started) {
      this.#consumer.resume();
    } else {
      this.#started = true;
      this.#consumer.start();
    }
    await this.#tellStore();
  }

  async #beat(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      await this.#tellStore();
      await sleep(BEAT_MS, undefined, { signal: this.#ended.signal }).catch(() => undefined);
    }
  }

  async #tellStore(): Promise<void> {
    const { deps, host, slots } = this.#options;
    try {
      const { drain } = await deps.store.workers.heartbeat({
        id: deps.id,
        host,
        version: deps.grading.version,
        slots,
        busy: this.#busy.size,
        state: this.#state,
        reason: this.#reason,
      });
      if (drain && this.#state === 'ready') {
        this.#state = 'draining';
        this.#taking.abort();
        await this.#consumer.pause();
        await this.#tellStore();
      }
    } catch (error) {
      deps.logger.warn({ err: error }, 'the store did not hear of this worker');
    }
  }
}

function idle(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
