import type { ExitReport } from '../../domain/exit-report.ts';
import { InfraError } from '../../domain/errors.ts';
import { formatMs } from '../../domain/units.ts';
import { withDeadline } from '../../shared/with-deadline.ts';
import type { LogCapture, Sidecar, SidecarSpec } from '../sandbox-engine.ts';
import type { Container } from './container.ts';
import { LogSink } from './log-capture.ts';
import type { ProcessLife } from './process-life.ts';

const MESSAGE_CHARS = 500;

/** A sidecar's container on the engine. */
export class DockerSidecar implements Sidecar {
  readonly #life: ProcessLife;
  readonly #log: LogSink;
  readonly #remove: () => Promise<void>;
  readonly #container: Container;

  /** Starts a created container and waits for its readiness. Errors as `Pod.startSidecar`. */
  static async begin(
    container: Container,
    spec: SidecarSpec,
    remove: () => Promise<void>,
    signal: AbortSignal,
  ): Promise<DockerSidecar> {
    const log = new LogSink();
    const watch = watchFor(spec.ready.log);
    const { wallMs, memoryBytes, pids } = spec.limits;
    function take(payload: Buffer): undefined {
      log.write(payload);
      watch.take(payload);
      return undefined;
    }
    const life = await container.start(
      {
        stdin: false,
        stdout: take,
        stderr: take,
        pace: log.pace,
        drain: true,
        wallMs,
        facts: () => ({ pidsLimitHit: false, limits: { memoryBytes, pids, wallMs } }),
      },
      signal,
    );
    const deadline = withDeadline(signal, spec.ready.withinMs);
    const outcome = await Promise.race([watch.seen, life.exit(), untilAborted(deadline)]);
    signal.throwIfAborted();
    if (outcome !== 'ready') {
      const why = outcome?.message ?? `It was not ready within ${formatMs(spec.ready.withinMs)}.`;
      const tail = log.capture().text.trimEnd().slice(-MESSAGE_CHARS);
      throw new InfraError('SIDECAR_FAILED', `the sidecar "${spec.name}" did not start. ${why}\n${tail}`);
    }
    return new DockerSidecar(container, life, log, remove);
  }

  private constructor(container: Container, life: ProcessLife, log: LogSink, remove: () => Promise<void>) {
    this.#container = container;
    this.#life = life;
    this.#log = log;
    this.#remove = remove;
  }

  get running(): boolean {
    return this.#life.running;
  }

  pause(): Promise<void> {
    return this.#container.pause();
  }

  resume(): Promise<void> {
    return this.#container.resume();
  }

  exit(): Promise<ExitReport> {
    return this.#life.exit();
  }

  log(): LogCapture {
    return this.#log.capture();
  }

  async remove(): Promise<void> {
    await this.#remove();
  }
}

/** Resolves `seen` when the text went by, also when it came in two pieces. */
function watchFor(text: string): { take: (payload: Buffer) => void; seen: Promise<'ready'> } {
  let recent = '';
  let found: (() => void) | undefined;
  const seen = new Promise<'ready'>((resolve) => {
    found = () => resolve('ready');
  });
  return {
    seen,
    take: (payload) => {
      recent += payload.toString('latin1');
      if (recent.includes(text)) {
        found?.();
      }
      recent = recent.slice(1 - text.length);
    },
  };
}

function untilAborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
}
