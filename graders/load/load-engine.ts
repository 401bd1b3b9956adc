import { PREPARE_MS } from '../../src/domain/load-plan.ts';
import { phaseLabel } from '../../src/domain/load-shape.ts';
import type { ClosedPhase, KneePhase, LoadPhase, OpenPhase } from '../../src/domain/load-shape.ts';
import type { Knee, KneeStep } from '../../src/domain/load-result.ts';
import { ArrivalQueue } from './arrival-queue.ts';
import type { Arrival } from './arrival-queue.ts';
import { arrivalDraw, scheduleArrivals } from './arrivals.ts';
import type { ArrivalSchedule } from './arrivals.ts';
import type { CompiledTask } from './compile-plan.ts';
import type { EngineOptions, EngineRun, PhaseSpan } from './engine-types.ts';
import { findKnee } from './find-knee.ts';
import type { FoundAnswer } from './found-answers.ts';
import { Probe } from './probe.ts';
import { takeExchange } from './take-exchange.ts';
import { UserPool } from './user-pool.ts';
import type { UserExchange, UserOwner, VirtualUser } from './virtual-user.ts';
import { Ticker } from './ticker.ts';
import { waitTimeMs } from './wait-time.ts';
import { WakeQueue } from './wake-queue.ts';
import { wantedUsers } from './wanted-users.ts';

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
/** What is still under way then is left behind: the next rate is measured all the same. */
const MAX_SETTLE_MS = 3000;

type Mode =
  /** Nothing new begins: users get ready, or end what is under way. */
  | { kind: 'quiet' }
  | { kind: 'closed'; phase: ClosedPhase; startMs: number; startUsers: number }
  | { kind: 'open'; schedule: ArrivalSchedule; startMs: number; next: number; counted: boolean };

/** A task that waits for its user's onStart to be tried again. Without a time it starts when it can. */
interface PendingTask {
  task: CompiledTask;
  intendedMs: number | undefined;
  counted: boolean;
}

/** Runs the phases of a plan, once. */
export class LoadEngine implements UserOwner {
  readonly #options: EngineOptions;
  readonly #pool: UserPool;
  readonly #queue: ArrivalQueue;
  readonly #wakes = new WakeQueue<VirtualUser>();
  readonly #pending = new Map<VirtualUser, PendingTask>();
  readonly #ticker: Ticker;
  readonly #draw: ReturnType<typeof arrivalDraw>;
  #mode: Mode = { kind: 'quiet' };
  #counted = false;
  #probe: Probe | undefined;
  #startMs = 0;
  #nextSweepMs = 0;
  #nextSecondMs = 0;
  #lastEndMs = 0;

  constructor(options: EngineOptions) {
    const { plan, target, seed, maxUsers, ownsCpu, health } = options;
    this.#options = options;
    this.#ticker = new Ticker({ ownsCpu, health, onTick: (nowMs) => this.#tick(nowMs) });
    this.#pool = new UserPool(plan.kinds, target, seed, this);
    this.#queue = new ArrivalQueue(plan.kinds.length, maxUsers * QUEUED_PER_USER);
    this.#draw = arrivalDraw(plan.kinds, seed);
  }

  /** Runs all phases and waits for the last answers. */
  async run(signal: AbortSignal): Promise<EngineRun> {
    const startMs = performance.now();
    this.#startMs = startMs;
    this.#nextSecondMs = startMs + SECOND_MS;
    const phases: PhaseSpan[] = [];
    let knee: Knee | undefined;
    let countedMs = 0;
    try {
      for (const phase of this.#options.shape) {
        if (phase.kind === 'open') {
          await this.#prepare(phase, signal);
        }
        const fromMs = performance.now();
        const span = { label: phaseLabel(phase), fromS: this.#secondsAt(fromMs) };
        if (phase.kind === 'knee') {
          const probe = async (rate: number, stepMs: number): Promise<KneeStep> =>
            await this.#probeRate({ ...phase, stepMs }, rate, signal);
          const { takeTurn } = this.#options;
          if (takeTurn) {
            await this.#settle(signal);
          }
          knee = await findKnee(phase, probe, takeTurn);
          phases.push({ ...span, toS: this.#secondsAt(performance.now()) });
        } else {
          const rate = await this.#runPhase(phase, fromMs, signal);
          countedMs += phase.kind === 'warm-up' ? 0 : phase.durationMs;
          phases.push({ ...span, toS: this.#secondsAt(fromMs + phase.durationMs), rate });
        }
      }
      countedMs += await this.#drain(signal);
      await this.#stopUsers(signal);
    } finally {
      for (const user of this.#pool.all) {
        user.dispose();
      }
    }
    return { phases, countedSeconds: countedMs / 1000, knee };
  }

  onAnswer(sentMs: number): FoundAnswer {
    return this.#ticker.find(performance.now(), sentMs);
  }

  onExchange(user: VirtualUser, exchange: UserExchange): void {
    this.#lastEndMs = exchange.endMs;
    this.#pool.prove(user);
    const isProbed = user.state === 'busy' && exchange.intendedMs >= (this.#probe?.startMs ?? Infinity);
    takeExchange(exchange, isProbed ? this.#probe : undefined, this.#options);
  }

  onReady(user: VirtualUser): void {
    const pending = this.#pending.get(user);
    if (pending) {
      this.#pending.delete(user);
      user.runTask(pending.task, pending.intendedMs, pending.counted);
    } else {
      this.#goOn(user);
    }
  }

  onTaskEnd(user: VirtualUser, broken: boolean): void {
    if (this.#mode.kind === 'quiet') {
      user.breakOff();
    }
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
    if (user.isMidway) {
      user.runNextStep(this.#mode.kind === 'open' ? this.#mode.counted : this.#counted);
      return;
    }
    for (let arrival = this.#queue.shift(user.kind); arrival; arrival = this.#queue.shift(user.kind)) {
      if (performance.now() - arrival.intendedMs <= this.#options.patienceMs) {
        this.#assign(user, arrival);
        return;
      }
      this.#recordUnsent(arrival);
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
      user.runTask(pending.task, pending.intendedMs, pending.counted);
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

  /** Lets what is under way end, so that a service that is held still is not taken for a slow one. */
  async #settle(signal: AbortSignal): Promise<void> {
    this.#enterQuiet();
    const limitMs = performance.now() + Math.min(this.#options.patienceMs, MAX_SETTLE_MS);
    await this.#ticker.waitUntil((nowMs) => nowMs >= limitMs || this.#isIdle(), signal);
  }

  /** Measures one rate of the search for the knee, and waits until its last answers have come. */
  async #probeRate(phase: KneePhase, rate: number, signal: AbortSignal): Promise<KneeStep> {
    const { stepMs: durationMs, objective } = phase;
    const open: OpenPhase = { kind: 'open', fromPerSecond: rate, toPerSecond: rate, durationMs };
    await this.#prepare(open, signal);
    const schedule = scheduleArrivals(open);
    const startMs = performance.now();
    const { rowNames, mostSteps } = this.#options.plan;
    const probe = new Probe(
      { startMs, rate, wanted: schedule.count, mostSteps, clauses: objective.clauses },
      rowNames,
    );
    this.#probe = probe;
    this.#mode = { kind: 'open', schedule, startMs, next: 0, counted: false };
    const isHopeless = probe.hopeless((sinceMs) => this.#queue.olderThan(sinceMs));
    await this.#ticker.waitUntil((nowMs) => nowMs >= startMs + durationMs || isHopeless(nowMs), signal);
    this.#enterQuiet();
    const limitMs = performance.now() + Math.min(this.#options.patienceMs, MAX_SETTLE_MS);
    await this.#ticker.waitUntil(
      (nowMs) => nowMs >= limitMs || this.#isIdle() || (isHopeless(nowMs) && this.#queue.size > 0),
      signal,
    );
    const gaveUp = isHopeless(performance.now()) || !this.#isIdle();
    this.#clearQueue();
    const step = probe.finish(this.#secondsAt(startMs), this.#secondsAt(performance.now()), gaveUp);
    this.#probe = undefined;
    await this.#ticker.waitUntil((nowMs) => nowMs >= limitMs || this.#isIdle(), signal);
    return step;
  }

  /** Returns how many right answers came per second. */
  async #runPhase(
    phase: Exclude<LoadPhase, KneePhase>,
    startMs: number,
    signal: AbortSignal,
  ): Promise<number> {
    const { recorder } = this.#options;
    const before = recorder.successes;
    this.#counted = phase.kind !== 'warm-up';
    if (phase.kind === 'open') {
      this.#enterQuiet();
      this.#mode = { kind: 'open', schedule: scheduleArrivals(phase), startMs, next: 0, counted: true };
    } else {
      this.#mode = { kind: 'closed', phase, startMs, startUsers: phase.fromUsers ?? this.#pool.staying };
      for (const user of this.#pool.takeAllIdle()) {
        this.#goOn(user);
      }
    }
    const endMs = startMs + phase.durationMs;
    await this.#ticker.waitUntil((nowMs) => nowMs >= endMs, signal);
    if (this.#mode.kind === 'open') {
      this.#options.health.recordDropped(this.#mode.schedule.count - this.#mode.next);
    }
    // It ends a little after its time, and what came meanwhile has been counted.
    const seconds = (performance.now() - startMs) / 1000;
    return Math.round((10 * (recorder.successes - before)) / seconds) / 10;
  }

  /** Users that wait for their next turn are free from now on; a sequence that they are in the middle of ends there. */
  #enterQuiet(): void {
    this.#mode = { kind: 'quiet' };
    this.#counted = false;
    this.#wakes.clear();
    for (const user of this.#pool.all) {
      if (user.state === 'waiting') {
        user.breakOff();
        this.#pool.setIdle(user);
      }
    }
  }

  /** Waits for the answers under way. What has none by then has failed after its true time. Returns the wait, ms. */
  async #drain(signal: AbortSignal): Promise<number> {
    const startMs = performance.now();
    this.#enterQuiet();
    const limitMs = startMs + this.#options.patienceMs;
    await this.#ticker.waitUntil((nowMs) => nowMs >= limitMs || this.#isIdle(), signal);
    this.#clearQueue();
    for (const user of this.#pool.all) {
      user.abort('timed out: no answer by the end of the test');
    }
    return Math.max(0, this.#lastEndMs - startMs);
  }

  /** Nothing is under way and nothing waits. */
  #isIdle(): boolean {
    return this.#queue.size === 0 && this.#pool.count('busy') === 0;
  }

  #clearQueue(): void {
    for (const arrival of this.#queue.takeAll()) {
      this.#recordUnsent(arrival);
    }
  }

  #recordUnsent({ task, counted }: Pick<Arrival, 'task' | 'counted'>): void {
    if (counted) {
      this.#options.recorder.recordUnsent(task.steps[0].row);
    } else {
      this.#probe?.recordUnsent(task.steps[0].row);
    }
  }

  #secondsAt(ms: number): number {
    return Math.round(ms - this.#startMs) / 1000;
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
      this.#pool.sweepTimeouts(this.#ticker.readUntilMs ?? nowMs);
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
    const wanted = wantedUsers(phase, startUsers, nowMs - startMs);
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
      const turnMs = performance.now();
      this.#options.health.recordLag(turnMs - dueMs);
      this.#arriveOne(this.#options.ownsCpu ? turnMs : dueMs, mode.counted);
    }
  }

  /**
   * Where the CPU is this side's own, the time of an arrival counts from its turn, or its sending: what this side was
   * late is watched as lag, and is not the service's. On a shared CPU it may well be, and everything counts.
   */
  #arriveOne(fromMs: number, counted: boolean): void {
    const { maxUsers, ownsCpu } = this.#options;
    const { kind, task } = this.#draw();
    const user = this.#pool.takeIdle(kind);
    if (user) {
      this.#assign(user, { task, intendedMs: user.startFailed || !ownsCpu ? fromMs : undefined, counted });
      return;
    }
    if (!this.#queue.push({ kind, task, intendedMs: fromMs, counted })) {
      this.#recordUnsent({ task, counted });
      return;
    }
    const mayGrow = this.#pool.staying < maxUsers && this.#pool.unproven < MAX_UNPROVEN;
    if (mayGrow && this.#queue.sizeOf(kind) > this.#pool.countStarting(kind)) {
      this.#pool.spawn(kind, counted);
    }
  }
}
