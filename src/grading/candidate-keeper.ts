import { AssayError } from '../domain/errors.ts';
import type { ExitReport } from '../domain/exit-report.ts';
import { NOT_RUNNING } from '../domain/grader-protocol.ts';
import type { ControlReply, ServiceAction } from '../domain/grader-protocol.ts';
import type { Candidate, Pod } from '../sandbox/sandbox-engine.ts';
import type { Clock } from '../shared/clock.ts';
import { diagnoseStart } from './diagnose.ts';
import { holdAll } from './hold-all.ts';
import { waitReady } from './wait-ready.ts';
import type { Readiness, ReadyRule } from './wait-ready.ts';

/** After this many crashes in one stage the service is left down and what remains is blocked. */
export const MAX_RESTARTS = 3;

const DEFAULT_GRACE_MS = 5_000;

/**
 * Acts on the candidate for a grader: keeps the service up across crashes (at most MAX_RESTARTS), tells crashes
 * from ends that were asked for, and answers control requests. One per stage.
 */
export class CandidateKeeper {
  readonly #pod: Pod;
  readonly #candidate: Candidate;
  readonly #rule: ReadyRule;
  readonly #clock: Clock;
  #crashes = 0;
  /** The process is down because a grader asked for it. */
  #downByRequest = false;
  /** The test is over, and the candidate gone. */
  #retired = false;
  /** What became of the last start that did not get ready. */
  #blocked: string | undefined;

  constructor(pod: Pod, candidate: Candidate, rule: ReadyRule, clock: Clock) {
    this.#pod = pod;
    this.#candidate = candidate;
    this.#rule = rule;
    this.#clock = clock;
  }

  get crashes(): number {
    return this.#crashes;
  }

  /** Waits for the first start of the stage. */
  async ready(signal: AbortSignal): Promise<Readiness> {
    return await waitReady(this.#pod, this.#candidate, this.#rule, this.#clock, signal);
  }

  /** Ends and removes the service, which is no crash. Whatever is asked for afterwards is refused. */
  async retire(): Promise<void> {
    this.#retired = true;
    if (this.#candidate.running) {
      // Before its removal, so that the last of its output is read; what matters is that it goes.
      await this.#candidate.kill().catch(() => undefined);
    }
    await this.#candidate.remove();
  }

  /** Holds the service still for as long as `during` takes, as `holdAll`. One that has ended stays as it is. */
  async hold<T>(during: () => Promise<T>): Promise<T | undefined> {
    return await holdAll([this.#candidate], during);
  }

  /** Carries out one control request. Never throws for what the service does; engine trouble passes through. */
  async control(
    id: string,
    action: ServiceAction,
    graceMs: number | undefined,
    signal: AbortSignal,
  ): Promise<ControlReply> {
    try {
      return { id, ...(await this.#act(action, graceMs ?? DEFAULT_GRACE_MS, signal)) };
    } catch (error) {
      if (error instanceof AssayError || signal.aborted) {
        throw error;
      }
      return { id, ok: false, error: error instanceof Error ? error.message : String(error) };
    }
  }

  async #act(action: ServiceAction, graceMs: number, signal: AbortSignal): Promise<Omit<ControlReply, 'id'>> {
    if (this.#retired) {
      return { ok: false, error: 'the test is over, and the service was removed' };
    }
    switch (action) {
      case 'start':
        return await this.#start(signal);
      case 'stop':
        return await this.#end(() => this.#candidate.stop(graceMs));
      case 'kill':
        return await this.#end(() => this.#candidate.kill());
      case 'restart': {
        const ended = await this.#end(() => this.#candidate.stop(graceMs));
        return ended.ok ? { ...ended, ...(await this.#start(signal)) } : ended;
      }
      case 'pause':
        await this.#candidate.pause();
        return { ok: true };
      case 'resume':
        await this.#candidate.resume();
        return { ok: true };
      case 'stats':
        return await this.#readStats();
    }
  }

  async #readStats(): Promise<Omit<ControlReply, 'id'>> {
    if (!this.#candidate.running) {
      return { ok: false, error: NOT_RUNNING };
    }
    try {
      const [usage, sockets] = await Promise.all([this.#candidate.stats(), this.#pod.countSockets()]);
      return { ok: true, stats: { ...usage, sockets } };
    } catch (error) {
      // It may have ended while it was looked at.
      if (this.#candidate.running) {
        throw error;
      }
      return { ok: false, error: NOT_RUNNING };
    }
  }

  /** Ends the process on request. A process that has crashed before counts as a crash all the same. */
  async #end(end: () => Promise<ExitReport>): Promise<Omit<ControlReply, 'id'>> {
    if (!this.#candidate.running) {
      const note = await this.#noteCrash();
      this.#downByRequest = true;
      return note === undefined ? { ok: true } : { ok: true, note };
    }
    const report = await end();
    this.#downByRequest = true;
    return report.signal === 'SIGKILL' ? { ok: true, forced: true } : { ok: true };
  }

  async #start(signal: AbortSignal): Promise<Omit<ControlReply, 'id'>> {
    if (this.#candidate.running) {
      return this.#blocked === undefined ? { ok: true } : { ok: false, error: this.#blocked };
    }
    const note = this.#crashes > MAX_RESTARTS ? undefined : await this.#noteCrash();
    if (this.#crashes > MAX_RESTARTS) {
      const error = `it ended ${this.#crashes} times in this stage and is not started again`;
      return { ok: false, error, ...(note === undefined ? {} : { note }) };
    }
    await this.#candidate.start(signal);
    this.#downByRequest = false;
    const readiness = await this.ready(signal);
    this.#blocked =
      readiness.kind === 'ready'
        ? undefined
        : diagnoseStart(readiness, this.#rule, this.#candidate.log()).message;
    return {
      ok: this.#blocked === undefined,
      ...(this.#blocked === undefined ? {} : { error: this.#blocked }),
      ...(note === undefined ? {} : { note }),
      ...(readiness.kind === 'ready' ? { readyMs: readiness.afterMs } : {}),
    };
  }

  /** Counts an end that nobody asked for, once, and tells what it was. */
  async #noteCrash(): Promise<string | undefined> {
    if (this.#downByRequest) {
      return undefined;
    }
    this.#crashes += 1;
    return (await this.#candidate.exit()).message;
  }
}
