import { PREPARE_MS } from '../../src/domain/load-plan.ts';
import { phaseLabel } from '../../src/domain/load-shape.ts';
import type { ClosedPhase, LoadPhase, OpenPhase } from '../../src/domain/load-shape.ts';
import { makePrng } from '../shared/prng.ts';
import type { Prng } from '../shared/prng.ts';
import { ArrivalQueue } from './arrival-queue.ts';
import { scheduleArrivals } from './arrivals.ts';
import type { ArrivalSchedule } from './arrivals.ts';
import type { CompiledPlan, CompiledRequest } from './compile-plan.ts';
import type { GeneratorHealth } from './health.ts';
import type { Target } from './http-connection.ts';
import type { Recorder } from './recorder.ts';
import type { Sampler } from './sampler.ts';
import { weightedPick } from './user-mix.ts';
import { UserPool } from './user-pool.ts';
import type { UserExchange, UserOwner, VirtualUser } from './virtual-user.ts';
import { Ticker } from './ticker.ts';
import { waitTimeMs } from './wait-time.ts';
import { WakeQueue } from './wake-queue.ts';

export interface EngineOptions {
  plan: CompiledPlan;
  shape: readonly LoadPhase[];
  target: Target;
  seed: string;
  /** Most users of an open phase. */
  maxUsers: number;
  /** Arrivals that wait longer for a free user, and answers that come later after the end, are given up, ms. */
  patienceMs: number;
  recorder: Recorder;
  sampler: Sampler;
  health: GeneratorHealth;
  /** Called about once per second with the number of users. */
  onSecond: (nowMs: number, users: number) => void;
  /** Called at every failure of a connection that is not the generator's own. */
  onBrokenConnection: () => void;
}

/** A phase that ran, seconds since the start of the test. */
export interface PhaseSpan {
  label: string;
  fromS: number;
  toS: number;
}

/** Most new users whose first answer is awaited at a time: a service's accept queue often holds no more. */
const MAX_UNPROVEN = 100;
/** An open phase begins with users enough for answers that take so long. */
const PREPARED_FOR_MS = 100;
const QUEUED_PER_USER = 10;
const SWEEP_MS = 25;
const SECOND_MS = 1000;
/** A user whose connection broke, or who could not even send, does not hammer a dead service. */
const BROKEN_PAUSE_MS = 100;
const STOP_MS = 2000;

type Mode =
  /** Nothing new begins: users get ready, or end what is under way. */
  | { kind: 'quiet' }
  | { kind: 'closed'; phase: ClosedPhase; startMs: number; startUsers: number }
  | { kind: 'open'; schedule: ArrivalSchedule; startMs: number; next: number };

/** A task that waits for its user's onStart to be tried again. Without a time it starts when it can. */
interface PendingTask {
  task: CompiledRequest;
  intendedMs: number | undefined;
  counted: boolean;
}

/** Runs the phases of a plan. */
export class LoadEngine implements UserOwner {
  readonly #options: EngineOptions;
  readonly #pool: UserPool;
  readonly #queue: ArrivalQueue;
  readonly #wakes = new WakeQueue<VirtualUser>();
  readonly #pending = new Map<VirtualUser, PendingTask>();
  readonly #ticker = new Ticker((nowMs) => this.#tick(nowMs));
  readonly #arrivalPrng: Prng;
  readonly #pickKind: (random: number) => number;
  #mode: Mode = { kind: 'quiet' };
  #counted = false;
  #nextSweepMs = 0;
  #nextSecondMs = 0;
  #lastEndMs = 0;

  constructor(options: EngineOptions) {
    const { plan, target, seed, maxUsers } = options;
    this.#options = options;
    this.#pool = new UserPool(plan.kinds, target, seed, this);
    this.#queue = new ArrivalQueue(plan.kinds.length, maxUsers * QUEUED_PER_USER);
    this.#arrivalPrng = makePrng(`${seed}/arrivals`);
    this.#pickKind = weightedPick(plan.kinds.map((kind) => kind.fixedCount ?? kind.weight));
  }

  /** Runs all phases and waits for the last answers. Returns the phases, and how long the counted part took. */
  async run(signal: AbortSignal): Promise<{ phases: PhaseSpan[]; countedSeconds: number }> {
    const startMs = performance.now();
    this.#nextSecondMs = startMs + SECOND_MS;
    const phases: PhaseSpan[] = [];
    let countedMs = 0;
    try {
      for (const phase of this.#options.shape) {
        if (phase.kind === 'open') {
          await this.#prepare(phase, signal);
        }
        const fromMs = performance.now();
        await this.#runPhase(phase, fromMs, signal);
        countedMs += phase.kind === 'warm-up' ? 0 : phase.durationMs;
        phases.push({
          label: phaseLabel(phase),
          fromS: toSeconds(fromMs - startMs),
          toS: toSeconds(fromMs + phase.durationMs - startMs),
        });
      }
      countedMs += await this.#drain(signal);
      await this.#stopUsers(signal);
    } finally {
      for (const user of this.#pool.all) {
        user.dispose();
      }
      await this.#ticker.close();
    }
    return { phases, countedSeconds: countedMs / 1000 };
  }

  onExchange(user: VirtualUser, exchange: UserExchange): void {
    const endMs = performance.now();
    const { recorder, sampler, health, onBrokenConnection } = this.#options;
    const { request, intendedMs, sentMs, failure, counted, response } = exchange;
    this.#lastEndMs = endMs;
    this.#pool.prove(user);
    recorder.record({
      row: request.row,
      intendedMs,
      sentMs,
      endMs,
      failure,
      answered: response !== undefined,
      counted,
    });
    if (counted) {
      sampler.offer(request.row, exchange.requestText, response, {
        failure,
        latencyMs: endMs - intendedMs,
        serviceMs: endMs - (sentMs ?? intendedMs),
      });
    }
    if (exchange.cause === 'own') {
      health.recordOwnFailure();
    } else if (exchange.cause === 'connection') {
      onBrokenConnection();
    }
  }

  onReady(user: VirtualUser): void {
    const pending = this.#pending.get(user);
    if (pending) {
      this.#pending.delete(user);
      user.runTask(pending.task, pending.intendedMs ?? performance.now(), pending.counted);
    } else {
      this.#goOn(user);
    }
  }

  onTaskEnd(user: VirtualUser, broken: boolean): void {
    if (this.#mode.kind !== 'closed' || user.retiring) {
      this.#goOn(user);
      return;
    }
    const nowMs = performance.now();
    const pauseMs = broken || user.startFailed ? BROKEN_PAUSE_MS : 0;
    const wantedMs = waitTimeMs(user.kind.waitTime, nowMs - user.taskStartMs, user.values.prng);
    const waitMs = Math.max(pauseMs, wantedMs);
    if (waitMs <= 0) {
      this.#goOn(user);
      return;
    }
    user.state = 'waiting';
    this.#wakes.push(nowMs + waitMs, user);
    this.#ticker.wakeBy(nowMs + waitMs, nowMs);
  }

  onGone(user: VirtualUser): void {
    this.#pool.remove(user);
  }

  /** What a user with nothing under way does next: a request that waits for it, its own loop, or nothing. */
  #goOn(user: VirtualUser): void {
    if (user.retiring) {
      user.stop();
      return;
    }
    for (let arrival = this.#queue.shift(user.kind); arrival; arrival = this.#queue.shift(user.kind)) {
      if (performance.now() - arrival.intendedMs <= this.#options.patienceMs) {
        this.#assign(user, { ...arrival, counted: true });
        return;
      }
      this.#options.recorder.recordUnsent(arrival.task.row);
    }
    if (this.#mode.kind === 'closed') {
      const { tasks, pickTask } = user.kind;
      const task = tasks[pickTask(user.values.prng.next())] ?? tasks[0];
      this.#assign(user, { task, intendedMs: undefined, counted: this.#counted });
    } else {
      this.#pool.setIdle(user);
    }
  }

  #assign(user: VirtualUser, pending: PendingTask): void {
    if (user.startFailed) {
      this.#pending.set(user, pending);
      user.start(pending.counted);
    } else {
      user.runTask(pending.task, pending.intendedMs ?? performance.now(), pending.counted);
    }
  }

  /** Makes users ready for an arrival rate before its clock starts, so that their beginning is not measured. */
  async #prepare(phase: OpenPhase, signal: AbortSignal): Promise<void> {
    this.#enterQuiet();
    const perSecond = Math.max(phase.fromPerSecond, phase.toPerSecond);
    const wanted = Math.max(this.#options.plan.kinds.length, Math.ceil((perSecond * PREPARED_FOR_MS) / 1000));
    while (this.#pool.staying < Math.min(wanted, this.#options.maxUsers)) {
      this.#pool.spawnNext(false, false);
    }
    const limitMs = performance.now() + PREPARE_MS;
    await this.#ticker.waitUntil((nowMs) => this.#pool.count('starting') === 0 || nowMs >= limitMs, signal);
  }

  async #runPhase(phase: LoadPhase, startMs: number, signal: AbortSignal): Promise<void> {
    this.#counted = phase.kind !== 'warm-up';
    if (phase.kind === 'open') {
      this.#enterQuiet();
      this.#mode = { kind: 'open', schedule: scheduleArrivals(phase), startMs, next: 0 };
    } else {
      this.#mode = { kind: 'closed', phase, startMs, startUsers: this.#pool.staying };
      for (const user of this.#pool.takeAllIdle()) {
        this.#goOn(user);
      }
    }
    const endMs = startMs + phase.durationMs;
    await this.#ticker.waitUntil((nowMs) => nowMs >= endMs, signal);
    if (this.#mode.kind === 'open') {
      this.#options.health.recordDropped(this.#mode.schedule.count - this.#mode.next);
    }
  }

  /** Users that wait for their next turn are free from now on. */
  #enterQuiet(): void {
    this.#mode = { kind: 'quiet' };
    this.#counted = false;
    this.#wakes.clear();
    for (const user of this.#pool.all) {
      if (user.state === 'waiting') {
        this.#pool.setIdle(user);
      }
    }
  }

  /** Waits for the answers under way. What has none by then has failed after its true time. Returns the wait, ms. */
  async #drain(signal: AbortSignal): Promise<number> {
    const startMs = performance.now();
    this.#enterQuiet();
    const limitMs = startMs + this.#options.patienceMs;
    const isDone = (): boolean => this.#queue.size === 0 && this.#pool.count('busy') === 0;
    await this.#ticker.waitUntil((nowMs) => nowMs >= limitMs || isDone(), signal);
    for (const kind of this.#options.plan.kinds) {
      for (let arrival = this.#queue.shift(kind); arrival; arrival = this.#queue.shift(kind)) {
        this.#options.recorder.recordUnsent(arrival.task.row);
      }
    }
    for (const user of this.#pool.all) {
      user.abort('timed out: no answer by the end of the test');
    }
    return Math.max(0, this.#lastEndMs - startMs);
  }

  async #stopUsers(signal: AbortSignal): Promise<void> {
    for (let left = this.#pool.staying; left > 0; left -= 1) {
      this.#pool.retireOne();
    }
    const limitMs = performance.now() + STOP_MS;
    await this.#ticker.waitUntil((nowMs) => this.#pool.size === 0 || nowMs >= limitMs, signal);
  }

  /** Does what is due. Returns when the next thing is. */
  #tick(nowMs: number): number {
    if (this.#mode.kind === 'closed') {
      this.#adjustUsers(this.#mode, nowMs);
    } else if (this.#mode.kind === 'open') {
      this.#arrive(this.#mode, nowMs);
    }
    for (let due = this.#wakes.popDue(nowMs); due; due = this.#wakes.popDue(nowMs)) {
      if (due.item.state === 'waiting') {
        this.#options.health.recordLag(performance.now() - due.timeMs);
        this.#goOn(due.item);
      }
    }
    if (nowMs >= this.#nextSweepMs) {
      this.#nextSweepMs = nowMs + SWEEP_MS;
      this.#pool.sweepTimeouts(nowMs);
    }
    if (nowMs >= this.#nextSecondMs) {
      this.#nextSecondMs += SECOND_MS;
      this.#options.onSecond(nowMs, this.#pool.staying);
    }
    return Math.min(this.#wakes.nextMs, this.#nextArrivalMs());
  }

  #nextArrivalMs(): number {
    const mode = this.#mode;
    return mode.kind === 'open' && mode.next < mode.schedule.count
      ? mode.startMs + mode.schedule.timeMs(mode.next)
      : Infinity;
  }

  #adjustUsers({ phase, startMs, startUsers }: Extract<Mode, { kind: 'closed' }>, nowMs: number): void {
    const { users, spawnPerSecond } = phase;
    const steps =
      spawnPerSecond === undefined ? Infinity : Math.floor(((nowMs - startMs) / 1000) * spawnPerSecond) + 1;
    const wanted =
      users >= startUsers ? Math.min(users, startUsers + steps) : Math.max(users, startUsers - steps);
    while (this.#pool.staying < wanted) {
      this.#pool.spawnNext(this.#counted, true);
    }
    while (this.#pool.staying > wanted) {
      this.#pool.retireOne();
    }
  }

  #arrive(mode: Extract<Mode, { kind: 'open' }>, nowMs: number): void {
    for (let dueMs = this.#nextArrivalMs(); dueMs <= nowMs; dueMs = this.#nextArrivalMs()) {
      mode.next += 1;
      this.#options.health.recordLag(performance.now() - dueMs);
      this.#arriveOne(dueMs);
    }
  }

  /** The order of kinds and tasks follows from the seed alone, whoever is free to run them. */
  #arriveOne(intendedMs: number): void {
    const { plan, maxUsers, recorder } = this.#options;
    const kind = plan.kinds[this.#pickKind(this.#arrivalPrng.next())];
    if (!kind) {
      return;
    }
    const task = kind.tasks[kind.pickTask(this.#arrivalPrng.next())] ?? kind.tasks[0];
    const user = this.#pool.takeIdle(kind);
    if (user) {
      this.#assign(user, { task, intendedMs, counted: true });
      return;
    }
    if (!this.#queue.push({ kind, task, intendedMs })) {
      recorder.recordUnsent(task.row);
      return;
    }
    const mayGrow = this.#pool.staying < maxUsers && this.#pool.unproven < MAX_UNPROVEN;
    if (mayGrow && this.#queue.sizeOf(kind) > this.#pool.countStarting(kind)) {
      this.#pool.spawn(kind, true);
    }
  }
}

function toSeconds(ms: number): number {
  return Math.round(ms) / 1000;
}
