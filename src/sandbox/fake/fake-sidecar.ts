import { setTimeout as delay } from 'node:timers/promises';
import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import { LogSink } from '../docker/log-capture.ts';
import type { LogCapture, Sidecar, SidecarSpec } from '../sandbox-engine.ts';
import { FakeLife } from './fake-life.ts';
import type { FakeScript } from './fake-script.ts';

/** A sidecar whose program is a script. */
export class FakeSidecar implements Sidecar {
  readonly #log = new LogSink();
  readonly #life: FakeLife;
  readonly #script: FakeScript;
  readonly #onRemove: () => void;
  #ready: () => void = () => undefined;
  readonly #seen = new Promise<'ready'>((resolve) => {
    this.#ready = () => resolve('ready');
  });

  constructor(spec: SidecarSpec, script: FakeScript, onRemove: () => void) {
    this.#life = new FakeLife(spec.limits);
    this.#script = script;
    this.#onRemove = onRemove;
    const run = script.sidecar ?? ((io) => io.log(`${spec.ready.log}\n`));
    const io = {
      log: (text: string) => {
        this.#log.write(Buffer.from(text));
        if (this.#log.capture().text.includes(spec.ready.log)) {
          this.#ready();
        }
      },
      exit: (exitCode: number) => this.#life.finish({ exitCode }),
    };
    run(io, spec);
  }

  /** Errors as `Pod.startSidecar`. */
  async ready(spec: SidecarSpec, signal: AbortSignal): Promise<void> {
    const decided = new AbortController();
    const either = AbortSignal.any([signal, decided.signal]);
    const late = delay(spec.ready.withinMs, undefined, { signal: either, ref: false });
    late.catch(() => undefined);
    const outcome = await Promise.race([this.#seen, this.#life.exit(), late]);
    decided.abort();
    if (outcome !== 'ready') {
      const why = outcome?.message ?? `It was not ready within ${spec.ready.withinMs} ms.`;
      throw new InfraError('SIDECAR_FAILED', `the sidecar "${spec.name}" did not start. ${why}`);
    }
  }

  get running(): boolean {
    return this.#life.running;
  }

  pause(): Promise<void> {
    this.#script.onCall?.('pauseSidecar');
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#script.onCall?.('resumeSidecar');
    return Promise.resolve();
  }

  exit(): Promise<ExitReport> {
    return this.#life.exit();
  }

  log(): LogCapture {
    return this.#log.capture();
  }

  async remove(): Promise<void> {
    await this.#life.end('killed', 0);
    this.#onRemove();
  }
}
